"""The models of ``dbt_like_sql/`` on a Spark cluster. The only place that imports pyspark, and only when asked."""

from mel_pipeline.transform.spark.runner import SparkRunner

__all__ = ["SparkRunner"]
