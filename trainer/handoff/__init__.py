"""The hatch between the desk and the lab: settings, rows and results. No torch, no Django."""
