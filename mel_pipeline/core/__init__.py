"""What every package may use: settings, contracts, errors, periods, clock, statistics, text, YAML. Imports nothing else."""
