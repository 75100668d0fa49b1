"""The indicators of a year, calculated a second time: with pandas, from the services, by the definitions alone.

Written as an auditor would, from the texts of docs/indicators.md. Nothing here imports the SQL project or the packages
that calculate, publish or read (`mel_pipeline.transform`, `publication`, `sources`): an error there cannot be an error here.
"""
