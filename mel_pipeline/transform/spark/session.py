"""A session on the cluster, with the settings on which the meaning of a model depends. Knows no model.

How much of the cluster a run takes (memory, cores, where the driver listens) is Spark's own configuration:
``spark-defaults.conf`` in the folder that SPARK_CONF_DIR names, and SPARK_LOCAL_IP.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mel_pipeline.core.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 5.0  # a master that does not answer within this counts as unreachable
_OPENING = threading.Lock()

# The same on every cluster, whatever spark-defaults.conf says: a figure must not depend on it.
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # a value that cannot be read fails the model
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.ui.enabled": "false",  # it shows SQL with its values, on every address of the machine
    "spark.ui.showConsoleProgress": "false",
    "spark.executor.syncLogLevel.enabled": "true",
}
# They log a value that cannot be parsed, which may be personal.
LOGGERS_WITH_VALUES = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
# A configuration of log4j that comes with Spark and takes its level from a property: an executor is silent from its first
# line. Told by message alone (silence_logging) it runs its first tasks as loud as its machine wants, and once never heard.
EXECUTOR_OPTIONS = "spark.executor.defaultJavaOptions"
SILENT = "-Dlog4j2.configurationFile=classpath:beeline-log4j2.properties -Dhive.log.level=OFF -Dhive.root.logger=console"
# Most models are small, a few are large.
SPEED = {
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "512",
    "spark.sql.adaptive.coalescePartitions.initialPartitionNum": "16",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


def open_session(master: str, wait_seconds: float) -> SparkSession:
    """The process's session, in working order; its tables are its own.

    Args:
        master: ``spark://host:7077`` (several by comma), ``local[*]``, ``yarn`` or ``k8s://...``.
        wait_seconds: how long to wait for the first worker.

    Raises:
        SettingsError: PySpark or Java is missing, or the master URL is of no known kind.
        ModelError: the master does not answer, or no worker takes a task.
    """
    _check(master)
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SettingsError(
            "Running models on Spark: PySpark is not installed. Install the package with its extra:"
            " pip install 'mel-pipeline[spark]', or empty MEL_SPARK_MASTER."
        ) from error
    with _OPENING:
        builder = SparkSession.builder.master(master).appName("MEL pipeline")
        for name, value in {**MEANING, **SPEED, **_on_loopback(master), **_silent_executors()}.items():
            builder = builder.config(name, value)
        session = _started(builder, master)
        if not _works(session, wait_seconds):  # its cluster went away since the last run
            session.stop()
            session = _started(builder, master)
            if not _works(session, wait_seconds):
                session.stop()
                raise ModelError(
                    f"Running models on Spark: {master} answers, but no worker took a task within {wait_seconds:.0f}"
                    " seconds. Check that workers are running and have cores and memory left"
                    " (spark-defaults.conf sets how much is requested). Nothing was changed."
                )
    return session.newSession()


def _check(master: str) -> None:
    if master.startswith("sc://"):
        raise SettingsError(
            "MEL_SPARK_MASTER: Spark Connect (sc://) is not supported. Name the master itself: spark://host:7077."
        )
    if not re.match(r"local(\[.+\])?$|spark://|yarn$|k8s://", master):
        raise SettingsError(
            "MEL_SPARK_MASTER: not a master. Write it like spark://host:7077, local[*], yarn or k8s://https://host."
        )
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        raise SettingsError(
            "Running models on Spark: Java is missing. Install Java 17 or 21 (Debian: apt install"
            " openjdk-17-jre-headless), or set JAVA_HOME to its folder."
        )
    if master.startswith("spark://"):
        addresses = master.removeprefix("spark://").split(",")
        if not any(_answers(address) for address in addresses):
            raise ModelError(
                f"Running models on Spark: {master} does not answer. Start the cluster, or correct MEL_SPARK_MASTER;"
                " empty it to calculate in the warehouse. Nothing was changed."
            )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), ANSWER_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _on_loopback(master: str) -> dict[str, str]:
    """Without a cluster, bind to loopback: no other machine has to connect."""
    return (
        {"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK}
        if master.startswith("local")
        else {}
    )


def _silent_executors() -> dict[str, str]:
    """After what spark-defaults.conf sets."""
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()  # only Java reads spark-defaults.conf
    return {EXECUTOR_OPTIONS: f"{SparkConf().get(EXECUTOR_OPTIONS, '') or ''} {SILENT}".strip()}


def _started(builder: Any, master: str) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.logger import PySparkLogger

    try:
        session: SparkSession = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise ModelError(
            f"Running models on Spark: no session on {master} ({_reason(error)}). Check that the cluster runs the same"
            " version of Spark as PySpark here, and whether workers reach this machine (SPARK_LOCAL_IP)."
            " Nothing was changed."
        ) from error
    silence_logging(session)
    for name in LOGGERS_WITH_VALUES:
        PySparkLogger.getLogger(name).disabled = True
    if session.sparkContext.master != master:
        raise ModelError(
            f"Running models on Spark: this process already works on {session.sparkContext.master}, not on {master}."
            " Use one master per process."
        )
    return session


def silence_logging(session: SparkSession) -> None:
    """Stop driver and executors from logging failures: their errors repeat values of rows.

    An executor that found no silent configuration starts with the log level of its own machine (seen in 4.3) and only
    receives changes: so set two levels in turn, and again at each job for executors that joined since.
    """
    for level in ("OFF", "FATAL"):
        session.sparkContext.setLogLevel(level)


def _reason(error: Exception) -> str:
    """Java's own message, without addresses."""
    lines = [line.strip(" :") for line in str(error).splitlines() if line.startswith(":")] or [str(error)]
    return re.sub(r"\d+\.\d+\.\d+\.\d+", "…", lines[0].splitlines()[0])


def _works(session: SparkSession, wait_seconds: float) -> bool:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        with job_timeout(session, wait_seconds):
            return session.range(1).count() == 1
    except (PySparkException, Py4JError, ModelError):
        return False


@contextmanager
def job_timeout(session: SparkSession, wait_seconds: float) -> Iterator[None]:
    """Cancel a job that waits for workers longer than this: Spark itself would wait forever.

    Raises:
        ModelError: the job was cancelled.
    """
    silence_logging(session)
    ended, given_up = threading.Event(), threading.Event()
    watch = threading.Thread(
        target=_watch, args=(session, wait_seconds, ended, given_up), daemon=True, name="spark-patience"
    )
    watch.start()
    try:
        yield
    except Exception as error:
        if given_up.is_set():
            raise ModelError(
                f"no worker took a task for {wait_seconds:.0f} seconds; workers were lost, or other jobs use them all."
                " Check the cluster and run again"
            ) from error
        raise
    finally:
        ended.set()
        watch.join()


def _watch(
    session: SparkSession, wait_seconds: float, ended: threading.Event, given_up: threading.Event
) -> None:
    tracker, step, waited = session.sparkContext.statusTracker(), 0.5, 0.0
    while not ended.wait(step):
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        idle = bool(stages) and not any(stage and stage.numActiveTasks for stage in stages)
        waited = waited + step if idle else 0.0
        if waited >= wait_seconds:
            given_up.set()
            session.sparkContext.cancelAllJobs()
            return
