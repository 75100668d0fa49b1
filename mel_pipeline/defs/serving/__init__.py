"""Run jobs and the UI outside of `dagster dev`: for the command line, `make check` and the operator."""
