"""The hatch between the desk and the lab: settings, records and results. Standard library and pyarrow only."""
