"""Usual names of the columns that hold runs and times."""

from __future__ import annotations

import re

from discovery.data.cells import is_other_than_time, without_unit

# In lower case, words apart by _; the first that is there is taken.
RUN_COLUMNS = (
    *("run", "run_id", "runid", "run_number", "run_no", "run_nr", "run_#", "run_index", "runs"),
    *("trajectory", "trajectory_id", "traj", "traj_id", "trial", "trial_id", "trial_number"),
    *("trial_no", "trial_nr", "trial_#", "experiment", "experiment_id", "exp", "exp_id"),
    *("measurement", "messung", "versuch", "lauf", "track", "track_id", "series", "id"),
    *("shot", "shot_id", "shot_number", "shot_no", "replicate", "episode", "episode_id"),
    *("simulation", "simulation_id", "sim", "sim_id"),
)
TIME_COLUMNS = (
    *("time", "t", "times", "zeit", "seconds", "second", "sec", "secs", "sekunden"),
    *("timestamp", "time_stamp", "datetime", "date_time", "date", "datum", "elapsed"),
    *("clock", "time_step", "timestep"),
    *("elapsed_time", "time_elapsed", "zeitstempel", "uhrzeit", "milliseconds", "minutes"),
    *("hours", "days", "years", "year", "jahr", "frame", "frames", "frame_number", "step", "steps"),
)
# Units at the end of a name: time_s.
_TIME_UNIT = re.compile(r"_(s|sec|secs|seconds|ms|us|µs|ns|min|minutes|h|hours|utc|local)$")


def usual_column(columns: list, usual: tuple[str, ...]) -> str | None:
    """Return the first column with one of the usual names; or None.

    Upper and lower case, spaces and units do not matter; a column t in kelvin is no time.
    """
    plain = {column: _plain(column, usual) for column in columns}
    for candidate in usual:
        for column, name in plain.items():
            if name == candidate:
                return column
    return None


def _plain(column: str, usual: tuple[str, ...]) -> str:
    title = str(column)
    if usual is TIME_COLUMNS and is_other_than_time(title):
        return ""
    name = re.sub(r"[\s_.-]+", "_", without_unit(title).strip().lower())
    return _TIME_UNIT.sub("", name) if usual is TIME_COLUMNS else name
