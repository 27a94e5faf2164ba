"""Faults on purpose, against real processes and real databases: what runs must survive."""
