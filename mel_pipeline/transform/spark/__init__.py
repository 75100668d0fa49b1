"""The models of ``dbt_like_sql/`` on a Spark cluster. The only package that imports pyspark, and only when used."""

from mel_pipeline.transform.spark.runner import SparkRunner

__all__ = ["SparkRunner"]
