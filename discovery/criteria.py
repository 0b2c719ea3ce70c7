"""Criteria: every limit that can turn a verdict, in one place.

Each limit says what it is compared with (`statistic`), in which `unit`, why it stands where it does
(`reason`: a null distribution with its `level`, or a tolerance and what it allows for), and which
`test` fails when the limit is taken away, that is when it has the value `off`. Budgets (how many
candidates, steps, digits) and guards against rounding turn no verdict and stay where they are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


def limit(
    value: float,
    *,
    statistic: str,
    unit: str,
    reason: str,
    off: float,
    test: str,
    level: float | None = None,
) -> float:
    """Return the dataclass field of one limit.

    Parameters
    ----------
    value : float
    statistic : str
        What is compared with it.
    unit : str
        ``"1"`` for pure numbers; else what it is counted in (``"standard errors"``).
    reason : str
        The statistic's distribution where there is nothing to find; or ``"tolerance: "`` and what
        is tolerated.
    off : float
        The value that takes the limit away.
    test : str
        The test that fails then: ``"laws/judging/test_verdict.py::test_name"``, from
        tests/discovery.
    level : float, optional
        Of a test against the null distribution: how often chance alone passes the limit.
    """
    record = {
        "statistic": statistic,
        "unit": unit,
        "reason": reason,
        "off": off,
        "test": test,
        "level": level,
    }
    return field(default=value, metadata=record)


# --- data: can these runs be analysed, and what are their coordinates? ---------------------------


@dataclass(frozen=True)
class DataCriteria:
    """Runs and coordinates."""

    # Runs that can be analysed at all.
    fewest_runs: int = limit(
        4,
        statistic="number of runs of fields",
        unit="1",
        reason="tolerance: some runs find formulas and others judge them",
        off=0,
        test="data/test_trajectories_bad_input.py::test_too_few_runs",
    )
    fewest_samples: int = limit(
        3,
        statistic="number of samples of the shortest run",
        unit="1",
        reason="tolerance: two samples lie on a line, and nothing is left to tell the noise by",
        off=0,
        test="data/test_trajectories_bad_input.py::test_runs_too_short",
    )
    constant: float = limit(
        1e-13,
        statistic="range of a coordinate over all runs, over its largest size",
        unit="1",
        reason="tolerance: what varies by less has no three digits left in double precision",
        off=0.0,
        test="data/test_parameters.py::test_what_no_run_changes_is_still_refused",
    )

    # Roles that nobody gave.
    rate_correlation: float = limit(
        0.97,
        statistic="correlation over all rows of a coordinate's rate with another coordinate",
        unit="1",
        reason="tolerance: rates are estimated from noisy samples, and so even a velocity's "
        "correlation with its position's rate is below 1",
        off=-1.0,
        test="data/test_coordinates.py::test_rates_that_are_no_coordinates",
    )
    falling: float = limit(
        0.5,
        statistic="correlation, with its sign changed, of momenta with velocities between "
        "neighbours in place, after what is linear in their distance",
        unit="1",
        reason="tolerance: no convex kinetic energy has it above 0; of noise alone a dozen "
        "independent pairs go beyond a half once in twenty times",
        off=1.0,
        test="data/test_coordinates.py::test_prey_and_hunters_are_no_place_and_velocity",
    )

    # The units and the origin that coordinates are analysed in.
    one_size: float = limit(
        3.0,
        statistic="ratio of the spreads of two coordinates of one role",
        unit="decades",
        reason="tolerance: a planet and its sun, whose distance counts, share a unit",
        off=math.inf,
        test="data/test_frame.py::test_coordinates_of_different_size_do_not",
    )
    near_size: float = limit(
        0.5,
        statistic="ratio of the spreads of two coordinates of different roles",
        unit="decades",
        reason="tolerance: half a step between powers of ten, for what may be of one kind",
        off=math.inf,
        test="data/test_frame.py::test_coordinates_of_one_size_share_a_unit",
    )
    far: float = limit(
        30.0,
        statistic="middle of a coordinate's values, beyond which it is seen from another origin",
        unit="spreads",
        reason="tolerance: the fourth power of such a coordinate still has ten good digits",
        off=math.inf,
        test="data/test_frame.py::test_far_values_get_a_round_origin",
    )

    # The natural origin of coordinates that were measured from far away.
    central_pull: float = limit(
        0.05,
        statistic="distance of the place that pulls point at from their lines, over the distance "
        "of the states from it",
        unit="1",
        reason="tolerance: noise of accelerations; forces that are not central miss by more",
        off=math.inf,
        test="estimation/test_origin.py::test_forces_that_are_not_central_have_no_centre",
    )
    centre_aside: float = limit(
        1.0,
        statistic="distance of the natural origin of places or velocities from the user's",
        unit="spreads",
        reason="tolerance: nearer to it formulas about both are found; that of the user is simpler",
        off=math.inf,
        test="test_invariance.py::test_places_measured_from_a_corner",
    )
    equilibrium_aside: float = limit(
        5.0,
        statistic="distance of an equilibrium of places or velocities from the user's origin",
        unit="spreads",
        reason="tolerance: of a well beside the user's origin the formula may be simple about that",
        off=math.inf,
        test="test_invariance.py::test_a_well_measured_from_a_corner",
    )
    unexplained_rate: float = limit(
        0.1,
        statistic="share of a rate's mean square that a polynomial leaves",
        unit="1",
        reason="tolerance: noise of rates; what is explained worse has its equilibrium elsewhere",
        off=math.inf,
        test="estimation/test_origin.py::test_rates_that_no_polynomial_explains_have_no_equilibrium",
    )


@dataclass(frozen=True)
class AngleCriteria:
    """Angles that nobody named, and their units."""

    by_chance: float = limit(
        1e-4,
        statistic="probability of so many jumps that are so nearly of one size",
        unit="1",
        reason="jumps of any size between half of the range and the whole of it, independent",
        level=1e-4,
        off=1.1,
        test="data/flaws/test_angles.py::test_short_noise_does_not_wrap",
    )
    as_elsewhere: float = limit(
        1.0,
        statistic="median distance of jumps from their median, over the 95th percentile of how far "
        "other steps are from what their neighbours predict",
        unit="1",
        reason="tolerance: an angle may wrap where it is predicted worst",
        off=math.inf,
        test="data/flaws/test_angles.py::test_what_does_not_wrap[jumps of any size]",
    )
    against_jump: float = limit(
        0.01,
        statistic="mean step of the motion against the jumps",
        unit="1",
        reason="Student's distribution of the mean of steps that do not know of the jump",
        level=0.01,
        off=1.0,
        test="data/flaws/test_angles.py::test_what_does_not_wrap[square wave]",
    )
    rate_change: float = limit(
        3.0,
        statistic="median change of the rate across a jump, over the 95th percentile elsewhere",
        unit="1",
        reason="tolerance: an angle may wrap where its acceleration is largest",
        off=math.inf,
        test="data/flaws/test_angles.py::test_what_does_not_wrap[reset]",
    )
    same_unit: float = limit(
        0.1,
        statistic="distance from 1 of the slope of an angle's rate against a column, in a unit",
        unit="1",
        reason="tolerance: differences understate the rates of fast motion; degrees differ by 57, "
        "and what is in none of the units that people use has an unknown one",
        off=math.inf,
        test="data/flaws/test_angles.py::test_rates_have_a_unit_of_their_own",
    )
    degrees_arc: float = limit(
        180.0,
        statistic="range of an angle that goes round without turning back, in its unit",
        unit="1",
        reason="tolerance: on a shorter arc any slow function explains rates as well as waves do",
        off=0.0,
        test="laws/test_hidden_coordinates.py::test_kepler_in_polar_coordinates",
    )
    turning_back: float = limit(
        0.1,
        statistic="share of a run in which an angle goes the other way",
        unit="1",
        reason="tolerance: the noise of what goes round gives less",
        off=0.0,
        test="laws/test_hidden_coordinates.py::test_kepler_in_polar_coordinates",
    )
    on_sphere: float = limit(
        0.3,
        statistic="standard deviation of a sum of squares about 1, over that of columns alone",
        unit="1",
        reason="tolerance: noise of a tenth of the spread gives .22 in three direction cosines",
        off=0.0,
        test="data/test_coordinates.py::test_direction_cosines_are_no_angles",
    )
    degrees_explain: float = limit(
        0.5,
        statistic="share of the rates' variance that waves of the angle in degrees leave, over "
        "that which waves in radians leave, on runs of no part in the fit",
        unit="1",
        reason="tolerance: where rates do not depend on the angle both leave the same",
        off=math.inf,
        test="data/flaws/test_angles.py::test_radians_are_not_read_as_degrees",
    )


@dataclass(frozen=True)
class HeldCriteria:
    """Values that instruments write where they measure nothing."""

    far_outside: float = limit(
        3.0,
        statistic="distance of a repeated value from all others, over their range",
        unit="1",
        reason="tolerance: what is measured and repeats lies amid the rest",
        off=0.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[rare steps]",
    )
    jump: float = limit(
        5.0,
        statistic="jump into or out of equal values, over the median of the differences beyond",
        unit="1",
        reason="tolerance: steps of a smooth path, sampled as finely as a path is, grow by less",
        off=0.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[at rest]",
    )
    repeats: int = limit(
        3,
        statistic="samples of one value between two jumps",
        unit="1",
        reason="tolerance: two gross errors may be of one size where numbers are rounded",
        off=0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[gross errors]",
    )
    share: float = limit(
        0.5,
        statistic="share of a column's samples that hold a value, or equal the sample before",
        unit="1",
        reason="tolerance: what most samples do is the nature of the data",
        off=1.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[levels]",
    )
    breaks: float = limit(
        0.003,
        statistic="probability of so many stretches of one value with a jump on both sides",
        unit="1",
        reason="binomial distribution, with the share of such stretches among all other values; "
        "times the number of values that were looked at",
        level=0.003,
        off=1.1,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[glitches]",
    )
    rounded: float = limit(
        3.0,
        statistic="noise that sixth differences show, over the smallest step of the values",
        unit="1",
        reason="tolerance: rounded to coarser steps, neighbours are equal wherever the path turns",
        off=0.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[flat turns]",
    )
    noise_grows: float = limit(
        1.5,
        statistic="median of sixth differences over that of fifth differences",
        unit="1",
        reason="tolerance: 1.9 for noise, and below 1 for a path sampled finely",
        off=0.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[at rest]",
    )
    chance: float = limit(
        1e-3,
        statistic="number of stretches of equal samples as long that chance would make",
        unit="1",
        reason="equal neighbours that are independent, as frequent as in the rest of the column",
        level=1e-3,
        off=math.inf,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[glitches]",
    )
    stuck_share: float = limit(
        0.2,
        statistic="share of a column's samples in stretches of equal ones that break off",
        unit="1",
        reason="tolerance: what is more frequent is a motion in steps",
        off=1.0,
        test="data/flaws/test_held_values.py::test_what_is_measured_is_kept[billiard]",
    )


# --- noise: its size, gross errors, smoothing ----------------------------------------------------


@dataclass(frozen=True)
class NoiseCriteria:
    """Noise, gross errors and smoothing."""

    # How large noise is.
    resolution: float = limit(
        1e-6,
        statistic="noise over the standard deviation of its coordinate",
        unit="1",
        reason="tolerance: integrators and tables of numbers are seldom better",
        off=0.0,
        test="data/test_noise_level.py::test_clean_data_have_the_resolution_as_noise",
    )
    fewest_differences: int = limit(
        8,
        statistic="differences of one order, of which the median is taken",
        unit="1",
        reason="tolerance: the median of fewer may be far below the noise by chance",
        off=1,
        test="data/test_noise_level.py::test_few_differences_do_not_understate_the_noise",
    )

    grid_repeats: float = limit(
        2.0,
        statistic="samples of a column over its different values",
        unit="1",
        reason="tolerance: finer grids round by less than differences show",
        off=math.inf,
        test="data/test_noise_level.py::test_rounding_is_noise",
    )

    white: float = limit(
        0.01,
        statistic="probability that white noise is as uneven from sample to sample, and from run "
        "to run, of a column beside others on a path",
        unit="1",
        reason="von Neumann's ratio and the F distribution; a column at or above is noise alone",
        level=0.01,
        off=math.inf,
        test="estimation/test_smoothness.py::test_a_column_of_noise_alone",
    )
    neighbours: float = limit(
        0.5,
        statistic="least over the coordinates of the mean square of successive differences, over "
        "twice the variance within runs",
        unit="1",
        reason="tolerance: 1 where the order of samples does not matter; below 1/2 a period has "
        "more than six samples, and polynomials can follow it",
        off=math.inf,
        test="estimation/test_smoothness.py::test_iterates_and_clouds_have_no_path",
    )

    few_a_period: float = limit(
        0.1,
        statistic="the same mean square",
        unit="1",
        reason="tolerance: above it a period has fewer than fourteen samples, which may be "
        "iterates of a map; of the two noises, that of a path and that of one step, each an upper "
        "bound, the smaller decides",
        off=math.inf,
        test="estimation/iterates/test_sampling.py::test_iterates_that_nearly_make_a_path",
    )
    unexplained: float = limit(
        0.2,
        statistic="least over the coordinates of the variance that the state before leaves open, "
        "over the variance within runs",
        unit="1",
        reason="tolerance: 1 for rows in any order, .36 for an autoregression of .8; maps that "
        "stretch by four leave .2 at noise of a tenth of the spread",
        off=math.inf,
        test="estimation/iterates/test_one_step.py::test_what_follows_from_nothing_is_no_map",
    )
    allowed: float = limit(
        0.5,
        statistic="noise that exact laws allow a coordinate, over that which was read",
        unit="1",
        reason="tolerance: both are estimates; of what events change, what was read is its spread",
        off=0.0,
        test="laws/judging/test_allowed_noise.py::test_collisions_are_judged_by_their_noise",
    )

    # Whether the noise is correlated from sample to sample.
    memory: float = limit(
        1.1,
        statistic="mean absolute difference over every second sample, over that over every sample",
        unit="1",
        reason="tolerance: 1 for independent noise of any distribution; an autoregression of "
        ".11 has 1.1 and adds a fifth to the noise of slow frequencies",
        off=math.inf,
        test="estimation/noise/test_memory.py::test_noise_that_is_correlated_is_seen",
    )
    path_left: float = limit(
        1.6,
        statistic="the same ratio, mean over the columns",
        unit="1",
        reason="tolerance: at most 1.41 for autoregressive noise; where it is larger the path "
        "itself is too fast for every second sample",
        off=math.inf,
        test="estimation/noise/test_memory.py::test_fast_paths_are_no_memory",
    )
    remembered: float = limit(
        1e-3,
        statistic="probability that this ratio is as far above `memory`",
        unit="1",
        reason="Student's distribution, of its error over runs, for the mean over all columns",
        level=1e-3,
        off=1.1,
        test="estimation/noise/test_memory.py::test_a_few_samples_tell_no_memory",
    )
    fewest_compared: int = limit(
        4,
        statistic="runs whose differences are compared",
        unit="1",
        reason="tolerance: the error of a mean over fewer runs is hardly known",
        off=1,
        test="estimation/noise/test_memory.py::test_two_runs_tell_no_memory",
    )
    fewest_thinned: int = limit(
        20,
        statistic="samples that are left of the shortest run",
        unit="1",
        reason="tolerance: fewer have no band of frequencies in which only noise is left",
        off=0,
        test="estimation/noise/test_memory.py::test_short_runs_are_not_thinned",
    )

    # Whether the noise of a column depends on its value.
    sizes_differ: float = limit(
        1e-3,
        statistic="p value of the test that the noise of a column is as large in ten parts of its "
        "values, over the columns",
        unit="1",
        reason="chi-squared: differences that share no sample, above their median or not",
        level=1e-3,
        off=0.0,
        test="estimation/noise/test_sizes.py::test_noise_of_the_value",
    )
    runs_differ: float = limit(
        1e-3,
        statistic="p value of the test that the noise of a column is as large in all runs, over "
        "the columns",
        unit="1",
        reason="F distribution: logarithms of the mean size of differences, between runs and "
        "between blocks of a run",
        level=1e-3,
        off=0.0,
        test="estimation/noise/test_by_run.py::test_noise_of_each_run",
    )
    order_matters: float = limit(
        1.6,
        statistic="size of differences of the highest orders over that of the order where it is "
        "least, in any of the fifth of the runs that show most",
        unit="1",
        reason="tolerance: 1 for noise, and chance of some 20 %; motion that is too fast for its "
        "samples grows with the order",
        off=math.inf,
        test="estimation/noise/test_by_run.py::test_close_encounters_are_no_noise",
    )

    # Whether a manifold is trained.
    uniform: float = limit(
        0.01,
        statistic="least p value of the tests that noise is as large in all places, and "
        "independent from column to column, times the number of tests",
        unit="1",
        reason="binomial and chi-squared: signs of differences that share no sample",
        level=0.01,
        off=0.0,
        test="estimation/test_uniform_noise.py::test_noise_that_differs_is_seen",
    )
    fewest_apart: int = limit(
        1000,
        statistic="differences that share no sample",
        unit="1",
        reason="tolerance: of so many the test sees noise that is twice as large in a fifth of the "
        "states",
        off=0,
        test="estimation/test_uniform_noise.py::test_few_samples_tell_nothing",
    )
    smoothed_as_well: float = limit(
        0.02,
        statistic="largest noise over the standard deviation of its coordinate",
        unit="1",
        reason="tolerance: the default manifold misses the next state by about 1 % of its spread, "
        "so that its flow smooths smaller noise no better than local polynomials",
        off=math.inf,
        test="estimation/test_uniform_noise.py::test_large_noise_is_smoothed_by_a_flow",
    )
    unseen: float = limit(
        1e-3,
        statistic="largest noise over the standard deviation of its coordinate",
        unit="1",
        reason="tolerance: a tenth of what the default manifold misses, which hides smaller noise",
        off=0.0,
        test="estimation/test_uniform_noise.py::test_no_noise_is_to_be_learned",
    )

    # Gross errors.
    gross_misfit: float = limit(
        9.0,
        statistic="distance of a sample from what its neighbours predict, over that of each sample "
        "beside it and over the noise",
        unit="1",
        reason="tolerance: noise with heavy tails; of noise-free simulations, whose samples beside "
        "each other turn alike, none stands out by more than 5",
        off=1e9,
        test="estimation/test_gross_errors.py::test_planted_errors_are_found[0.02-kepler]",
    )
    suspected: float = limit(
        3.0,
        statistic="the same distance, over those of the four samples beside it but two",
        unit="1",
        reason="tolerance: wrong neighbours widen the distances of sound samples, until they are "
        "left out; `gross_misfit` decides then",
        off=1e9,
        test="estimation/test_gross_errors.py::test_small_errors_are_found_where_they_are_many",
    )
    gross_size: float = limit(
        0.02,
        statistic="size of an error over the spread of its coordinate",
        unit="1",
        reason="tolerance: an error smaller than this does no harm, and turns of clean paths are "
        "of this size",
        off=0.0,
        test="estimation/test_gross_errors.py::test_errors_that_do_no_harm_are_kept",
    )
    gross_fastest: float = limit(
        0.1,
        statistic="share of the samples at which the motion is called fastest",
        unit="1",
        reason="tolerance: errors that strike at random are there no more often than that; a close "
        "encounter takes a few samples of an orbit",
        off=1.0,
        test="estimation/test_gross_errors.py::test_close_encounters_are_no_gross_errors",
    )
    gross_share: float = limit(
        0.03,
        statistic="share of a coordinate's values that stand out",
        unit="1",
        reason="tolerance: what is more frequent is the nature of the data",
        off=1.0,
        test="estimation/test_gross_errors.py::test_what_is_frequent_is_no_gross_error",
    )
    gross_at_ends: float = limit(
        3.0,
        statistic="factor of `gross_misfit` at the two samples at either end of a run",
        unit="1",
        reason="tolerance: parabolas are continued to one side there, which widens noise, and no "
        "sample on the other side tells a fast start from an error",
        off=1.0,
        test="pde/test_mending.py::test_errors_are_interpolated",
    )
    gross_at_random: float = limit(
        0.003,
        statistic="probability of so many errors beside each other, at the ends of runs or where "
        "motion is fastest",
        unit="1",
        reason="binomial distribution of errors that strike any sample alike",
        level=0.003,
        off=0.0,
        test="estimation/test_gross_errors.py::test_fast_motion_is_no_gross_error[double_pendulum]",
    )

    # Smoothing of columns that share events (`smooth_apart`).
    event_bias: float = limit(
        2.0,
        statistic="squared bias nearby minus its average over the rows",
        unit="standard errors",
        reason="normal distribution of a mean of many squared residuals",
        level=0.023,
        off=0.0,
        test="estimation/test_local_polynomials.py::test_errors_of_groups_are_known",
    )
    event_values: int = limit(
        100,
        statistic="values over which the bias nearby is averaged: columns times rows on one side",
        unit="1",
        reason="tolerance: enough to know a bias, and not more rows than a short event has",
        off=10**9,
        test="estimation/test_local_polynomials.py::test_a_short_event_in_many_columns",
    )

    many_columns: int = limit(
        16,
        statistic="columns from which on bias is taken out of smoothed paths",
        unit="1",
        reason="tolerance: d columns of noise σ and bias b move their sum by √d σ and d b, and "
        "least error of each column leaves b of up to σ/2: the bias leads from some ten columns on",
        off=10**9,
        test="estimation/test_local_polynomials.py::test_bias_does_not_add_up_over_columns",
    )

    # Velocities formed from positions.
    path_bias: float = limit(
        3.0,
        statistic="squared error that a polynomial's shape makes, over that which noise makes, in "
        "the choice of a window",
        unit="1",
        reason="tolerance: noise averages out along a run and among runs, and what polynomials "
        "miss does not",
        off=0.0,
        test="data/test_velocities.py::test_errors_of_the_path_are_known",
    )
    state_bias: float = limit(
        10.0,
        statistic="the same, where windows share no sample",
        unit="1",
        reason="tolerance: what a window misses is motion of every function of the states; it must "
        "stay below the noise of their mean",
        off=0.0,
        test="data/test_velocities.py::test_errors_of_states_are_known_and_independent",
    )
    states_of_all: float = limit(
        160.0,
        statistic="states with formed velocities that few long runs are parted into",
        unit="states",
        reason="tolerance: few runs are judged by windows of them, each of several states",
        off=0.0,
        test="data/test_velocities.py::test_few_long_runs_have_states_enough_for_windows",
    )
    states_of_a_run: float = limit(
        16,
        statistic="windows that the longest run is parted into, at least",
        unit="1",
        reason="tolerance: fewer do not show whether a function moves along the run",
        off=1,
        test="data/test_velocities.py::test_a_run_has_enough_states",
    )
    widest_state: float = limit(
        9,
        statistic="samples of a window that may always be used, however short the run",
        unit="1",
        reason="tolerance: a polynomial of lowest degree and as much again to tell what it misses",
        off=0,
        test="data/test_velocities.py::test_short_runs_have_states",
    )
    differenced: float = limit(
        0.02,
        statistic="what a velocity leaves of the filter of positions that it is nearest to, over "
        "the noise of the filter or over what another filter leaves of it",
        unit="1",
        reason="tolerance: rounding in tables; a measured velocity leaves its own noise, and an "
        "exact one what differences miss",
        off=0.0,
        test="data/test_differences.py::test_differences_are_recognized",
    )
    different_future: float = limit(
        0.2,
        statistic="squared difference of the velocities at states near each other, over that of "
        "any two states, both without what noise adds",
        unit="1",
        reason="tolerance: 1 where velocities do not depend on positions; where they are functions "
        "of the state, about as much as the states are apart",
        off=math.inf,
        test="estimation/test_positions.py::test_different_futures_tell_that_velocities_are_missing",
    )
    across_lines: float = limit(
        0.1,
        statistic="squared sine of the angle between velocities at near states, weighted "
        "with their squares and without what noise adds, over that of any two directions",
        unit="1",
        reason="tolerance: as much as near states are apart; what is found there has to be a law",
        off=0.0,
        test="estimation/test_positions.py::test_what_a_hand_moves_is_complete_as_it_is",
    )
    same_future: float = limit(
        0.2,
        statistic="the same at the fifth of the states that have the nearest neighbours, where all "
        "columns are told to be positions",
        unit="1",
        reason="tolerance: the user says that velocities are missing unless it is plain that they "
        "are not",
        off=math.inf,
        test="estimation/test_positions.py::test_short_arcs_from_rest_miss_their_velocities",
    )
    nearer_alike: float = limit(
        0.7,
        statistic="the same at the fifth with the nearest neighbours, over that at the fifth with "
        "the farthest",
        unit="1",
        reason="tolerance: it grows with the distance where states are complete; 1 but for chance "
        "where velocities do not depend on positions",
        off=math.inf,
        test="estimation/test_positions.py::test_planets_on_like_orbits_miss_their_velocities",
    )
    foreseen: float = limit(
        0.3,
        statistic="share of the variance of accelerations that the nearest states of other runs, "
        "positions and velocities, foretell",
        unit="1",
        reason="tolerance: about 0 where chance drives, most of it where equations of motion do; "
        "asked only where positions alone keep a quadratic function",
        off=-math.inf,
        test="estimation/test_positions.py::test_what_chance_drives_is_complete_as_it_is",
    )
    near_state: float = limit(
        0.02,
        statistic="squared distance of two states, over that of any two",
        unit="1",
        reason="tolerance: farther from each other complete states move in different ways, too",
        off=math.inf,
        test="estimation/test_positions.py::test_states_far_from_each_other_tell_nothing",
    )

    # Rows and runs.
    clear_of_zero: float = limit(
        5.0,
        statistic="value of a coordinate that counts as positive, over its noise",
        unit="standard deviations of the noise",
        reason="normal distribution of the noise of one value at zero",
        level=2.9e-7,
        off=0.0,
        test="estimation/test_orbits.py::test_rows_in_which_a_coordinate_is_clear_of_its_noise",
    )
    fewest_rows: int = limit(
        8,
        statistic="rows of a run in which a coordinate is clear of its noise",
        unit="1",
        reason="tolerance: fewer do not show whether a function moves along the run",
        off=1,
        test="estimation/test_orbits.py::test_rows_in_which_a_coordinate_is_clear_of_its_noise",
    )
    fit_share: float = limit(
        0.6,
        statistic="share of the runs on which formulas are found",
        unit="1",
        reason="tolerance: the others judge, and must be enough for an interval to be narrow",
        off=1.0,
        test="estimation/test_split.py::test_enough_runs_are_left_to_judge",
    )


# --- libraries: which functions the data admit ---------------------------------------------------


@dataclass(frozen=True)
class LibraryCriteria:
    """Functions that these data admit."""

    angle_noise: float = limit(
        0.3,
        statistic="noise of an angle",
        unit="radians",
        reason="tolerance: beyond it a cosine of the angle is more noise than signal",
        off=1e9,
        test="libraries/test_libraries.py::test_a_noisy_angle_has_no_cosine",
    )

    # Of very many columns sums alone are tried.
    wide: int = limit(
        100,
        statistic="columns beyond which sums over bodies alone are tried: no manifold is trained, "
        "and no function has a number for each column",
        unit="1",
        reason="tolerance: a metric, a basis of linear functions and what names a law by its "
        "motion grow with the square of the columns or faster, sums over bodies do not",
        off=10**9,
        test="laws/test_many_bodies.py::test_of_very_many_columns_sums_alone_are_tried",
    )

    # What may be divided by.
    smallest_sine: float = limit(
        0.05,
        statistic="smallest size of a sine or cosine in the data",
        unit="1",
        reason="tolerance: the inverse square of a smaller one is large in a few rows alone, and "
        "these would decide",
        off=0.0,
        test="libraries/test_curvilinear.py::test_what_may_be_divided_by",
    )
    sine_noise: float = limit(
        3.0,
        statistic="smallest size of a sine or cosine in the data, over the noise of its angle",
        unit="standard deviations of the noise",
        reason="normal distribution of the noise of one value at zero",
        level=2.7e-3,
        off=0.0,
        test="libraries/test_curvilinear.py::test_what_may_be_divided_by",
    )
    smallest_value: float = limit(
        0.005,
        statistic="smallest value of a positive coordinate over its largest",
        unit="1",
        reason="tolerance: the inverse of a smaller one is large in a few rows alone, and these "
        "would decide",
        off=0.0,
        test="libraries/test_rational.py::test_only_what_stays_away_from_zero_is_inverted",
    )
    positive_share: float = limit(
        0.7,
        statistic="share of the rows in which a coordinate is positive beyond its noise",
        unit="1",
        reason="tolerance: the other rows are left out, and enough must be left",
        off=0.0,
        test="libraries/test_rational.py::test_inverses_need_values_clear_of_the_noise",
    )
    warp_margin: float = limit(
        0.05,
        statistic="distance of the data from the ends of a function's domain, over their range",
        unit="1",
        reason="tolerance: measured values lie a little outside of what smoothed ones span",
        off=0.0,
        test="libraries/test_warped.py::test_only_functions_that_the_data_allow",
    )


# --- formulas: which terms and which numbers a vector becomes ------------------------------------


@dataclass(frozen=True)
class FormulaCriteria:
    """Terms and coefficients of a formula."""

    # The description of a learned law
    described_share: float = limit(
        0.3,
        statistic="share that the next monomial explains of what the description leaves",
        unit="1",
        reason="tolerance: terms that explain less make the description longer but hardly nearer",
        off=0.0,
        test="report/test_description.py::test_terms_that_explain_little_are_left_out",
    )
    # Which samples count
    uneven_noise: float = limit(
        2.0,
        statistic="mean over median of the noise variance of the flat functions",
        unit="1",
        reason="tolerance: about 1 for even noise; up to 2 weights hardly change W and D",
        off=math.inf,
        test="laws/finding/test_operators.py::test_noisy_places_count_less",
    )
    # Which terms a formula has
    flatness_floor: float = limit(
        0.3,
        statistic="flatness of a trial with fewer terms or rounder numbers",
        unit="1",
        reason="tolerance: smoothed noise alone gives up to 1, so far below that data do not tell "
        "better from worse",
        off=0.0,
        test="laws/finding/test_rounding.py::test_where_data_cannot_tell_better_from_worse_other_coefficients_are_as_good",
    )
    flatness_slack: float = limit(
        1.06,
        statistic="flatness without one term over flatness with it",
        unit="1",
        reason="tolerance: smoothing leaves biases of a few percent, which a term too many mends",
        off=1.0,
        test="laws/finding/test_candidates.py::test_a_mixture_of_three_terms_too_many",
    )
    negligible_share: float = limit(
        0.02,
        statistic="gradient of one term over that of the formula's strongest",
        unit="1",
        reason="tolerance: a term as weak as noise and smoothing leave one by chance",
        off=0.0,
        test="laws/finding/test_candidates.py::test_no_formula_is_another_one_that_carries_a_term_along",
    )
    negligible_entry: float = limit(
        1e-3,
        statistic="entry of a sparse vector over its largest",
        unit="1",
        reason="tolerance: the narrowest penalty of the search tells less from zero no more",
        off=0.0,
        test="formulas/test_sparse_vectors.py::test_the_sparse_vectors_of_a_span",
    )
    independent_share: float = limit(
        0.1,
        statistic="length of a vector outside the span of those chosen before, over its own",
        unit="1",
        reason="tolerance: rounded vectors that span the space safely, whatever their errors",
        off=-1.0,
        test="formulas/test_sparse_basis.py::test_known_vectors_are_not_given_again",
    )
    # How far coefficients may be rounded
    rounding_slack: float = limit(
        1.15,
        statistic="flatness with other coefficients over the fitted formula's",
        unit="1",
        reason="tolerance: fitted coefficients follow the smoothing's bias; the measured runs are "
        "asked as well",
        off=math.inf,
        test="laws/finding/test_candidates.py::test_other_coefficients_are_as_good_as_the_data",
    )
    interval: float = limit(
        2.5,
        statistic="distance of a coefficient from a simple number",
        unit="standard errors",
        reason="Student's distribution of a fitted coefficient about the true one: its errors are "
        "given in such units that with any number of runs these are its quantile",
        level=0.0124,
        off=0.0,
        test="laws/finding/test_rounding.py::"
        "test_like_terms_get_equal_coefficients_where_these_may_be",
    )
    least_width: float = limit(
        5e-4,
        statistic="half width of a coefficient's interval, over the coefficient",
        unit="1",
        reason="tolerance: smoothing's bias, which standard errors do not hold",
        off=0.0,
        test="formulas/test_simplicity.py::test_no_coefficient_is_known_exactly",
    )
    most_width: float = limit(
        0.3,
        statistic="half width of a coefficient's interval, over the coefficient",
        unit="1",
        reason="tolerance: what is known worse would be rounded to anything",
        off=math.inf,
        test="laws/finding/test_rounding.py::test_what_nobody_knows_is_not_rounded_to_anything",
    )
    known_form: float = limit(
        1.0,
        statistic="standard error of a number in a formula, over the number",
        unit="1",
        reason="tolerance: a number that may as well be zero or twice as large tells no form",
        off=math.inf,
        test="report/test_report.py::test_numbers_that_nobody_knows_tell_no_form",
    )
    outer_form: float = limit(
        0.01,
        statistic="probability that a true law's numbers change as much from inner runs to outer "
        "ones",
        unit="1",
        reason="beta distribution of sums of runs' scores over their own squares",
        level=0.01,
        off=0.0,
        test="report/test_report.py::test_numbers_that_change_outwards_tell_no_form",
    )
    # Which numbers are simple
    root_bits: float = limit(
        6.0,
        statistic="what √2, √3 or π costs beside a fraction",
        unit="bits",
        reason="tolerance: one of three, and one coefficient in about twenty has any of them",
        off=0.0,
        test="formulas/test_simple_numbers.py::test_a_decimal_is_cheaper_than_a_multiple_of_a_root",
    )
    numbers_by_chance: float = limit(
        0.2,
        statistic="odds of an arbitrary coefficient against a simple number, as it was measured",
        unit="1",
        reason="uniform distribution of the logarithm of an arbitrary coefficient, normal one of "
        "what is measured; half of all coefficients are simple numbers",
        level=0.17,
        off=math.inf,
        test="formulas/test_simple_numbers.py::test_a_fraction_that_chance_would_give_is_none",
    )
    symbol_bits: float = limit(
        4.0,
        statistic="bits of the numbers in a formula that count as much as one symbol",
        unit="bits",
        reason="tolerance: a symbol is one of about sixteen: coordinates, functions, operations",
        off=math.inf,
        test="formulas/test_simplicity.py::test_numbers_make_a_formula_longer",
    )
    # At which scale something is conserved
    noise_lengths: float = limit(
        3.0,
        statistic="length of a function over the noise of the coordinate in it",
        unit="standard deviations of the noise",
        reason="tolerance: across a shorter length noise is no small step, and all looks flat",
        off=0.0,
        test="laws/finding/test_scale_search.py::test_no_length_is_as_short_as_the_noise",
    )
    dip_prominence: float = limit(
        1.05,
        statistic="flatness on either side of a dip over that at its bottom",
        unit="1",
        reason="tolerance: ripples of a few percent that smoothing leaves",
        off=0.0,
        test="laws/finding/test_scale_search.py::test_dips_are_prominent_minima",
    )
    scale_slack: float = limit(
        1.02,
        statistic="flatness at a rounder scale over that at the best one",
        unit="1",
        reason="tolerance: a change of the flatness that is no evidence for the other scale",
        off=math.inf,
        test="laws/finding/test_scale_search.py::test_a_scale_is_rounded_as_far_as_it_is_known",
    )

    # Which terms a formula's numbers are told by
    strong_term: float = limit(
        0.02,
        statistic="share of a term's gradient in the largest, where its coefficient may be one",
        unit="1",
        reason="tolerance: multiples of a weak term's coefficient are simple by chance",
        off=0.0,
        test="laws/finding/test_rounding.py::test_a_weak_term_is_not_made_one",
    )
    cancelled_sum: float = limit(
        0.05,
        statistic="what is left of a term where laws are added, over its parts",
        unit="1",
        reason="tolerance: the laws' weights are known to noise; the judge decides on the sum",
        off=0.0,
        test="laws/judging/test_joined.py::test_what_cancels_but_for_noise_goes",
    )

    # Which few functions describe a free one
    hardly_varies: float = limit(
        0.7,
        statistic="motion along runs over the spread, of a free function that noise moves",
        unit="1",
        reason="tolerance: what differs no less between runs than along them may be a law",
        off=0.0,
        test="laws/free/test_free_functions.py::test_what_may_be_a_law",
    )
    set_slack: float = limit(
        1.15,
        statistic="flatness of few functions over that of the best set",
        unit="1",
        reason="tolerance: half of the runs tell a flatness to some percent",
        off=0.0,
        test="laws/free/test_free_functions.py::test_the_fewest_functions_that_are_as_flat",
    )

    # Which surfaces no run crosses
    same_surface: float = limit(
        0.05,
        statistic="distance of two polynomials of unit size on the data",
        unit="1",
        reason="tolerance: descents from two starts end at one surface, but for their last steps",
        off=0.0,
        test="laws/finding/test_products.py::test_the_sides_of_a_triangle",
    )
    surface_varies: float = limit(
        0.2,
        statistic="range of a polynomial over its largest value",
        unit="1",
        reason="tolerance: what varies less is a constant with a little of anything beside it",
        off=0.0,
        test="laws/finding/test_products.py::test_no_line_lets_circles_pass",
    )


# --- laws: what the evidence makes of a formula --------------------------------------------------


@dataclass(frozen=True)
class LawCriteria:
    """Verdicts on formulas, their choice, and the conclusion."""

    # --- Flatness: motion along runs in units of what noise explains ---
    flatness_ceiling: float = limit(
        1.5,
        statistic="variance along the smoothed path over what its noise explains",
        unit="1",
        reason="tolerance: one is a law; the noise may be estimated up to 22 % too small (1.5 is a "
        "ratio of variances)",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_moves_more_than_its_noise_is_no_law",
    )
    excess_motion: float = limit(
        1.2,
        statistic="the same ratio at the lower end of its interval; itself in formulas of many "
        "free numbers",
        unit="1",
        reason="tolerance: beyond it there are signs that noise does not explain all motion",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_surely_moves_more_than_its_noise_is_no_law",
    )
    coverage: float = limit(
        0.95,
        statistic="share of data sets whose interval of a flatness or a drift holds the truth",
        unit="1",
        reason="Student's distribution, of a jackknife over runs; with 8 to 100 runs 93 to 96 %",
        level=0.05,
        off=0.0,
        test="laws/judging/test_evidence.py::test_intervals_cover",
    )

    # --- Drift: systematic motion along runs, noise set aside ---
    detected_motion: float = limit(
        1e-3,
        statistic="probability that a true law shows as much motion in the worst of six bands",
        unit="1",
        reason="Student's distribution of the motion over its standard error over runs, one-sided, "
        "Bonferroni over the bands; χ² of Hansen's J for motion that follows the states",
        level=1e-3,
        off=0.0,
        test="laws/judging/test_verdict.py::test_a_law_shows_no_motion",
    )
    suspected_motion: float = limit(
        0.04,
        statistic="the same probability, of a formula of many free numbers, or that may be in "
        "doubt",
        unit="1",
        reason="Student's distribution as for `detected_motion`",
        level=0.04,
        off=0.0,
        test="laws/judging/test_verdict.py::test_signs_of_motion_count_against_long_formulas",
    )
    odds_of_a_number: float = limit(
        0.5,
        statistic="odds that a law has a given number more, before the data are seen",
        unit="1",
        reason="tolerance: it is as likely as not that a law is told by the numbers so far",
        off=1.0,
        test="laws/judging/test_readmitted.py::test_numbers_enough_outweigh_a_sign_of_motion",
    )
    tolerated_motion: float = limit(
        0.003,
        statistic="excess variance in one frequency band over the noise's variance",
        unit="1",
        reason="tolerance: what estimating and removing the noise may leave in a band",
        off=0.0,
        test="laws/judging/test_drift.py::test_what_noise_leaves_in_a_band_is_tolerated",
    )
    unlike: float = limit(
        1e-3,
        statistic="probability that a law moves as much in the slowest modes of a run, times the "
        "number of runs and of formulas",
        unit="1",
        reason="the F distribution, against the fast modes of the same run",
        level=1e-3,
        off=0.0,
        test="laws/judging/test_unlike.py::test_runs_with_friction_are_named",
    )
    unlike_larger: float = limit(
        0.05,
        statistic="probability that runs unlike the others have values as far from theirs",
        unit="1",
        reason="Mann and Whitney's test of the runs' mean values: an imitation of a law is refuted "
        "where motion is large",
        level=0.05,
        off=0.0,
        test="laws/judging/test_unlike.py::test_what_large_motions_refute_is_no_law_of_the_others",
    )
    unlike_share: float = limit(
        0.1,
        statistic="share of the runs that are unlike the others",
        unit="1",
        reason="tolerance: what moves in more of them may be an imitation of a law",
        off=1.0,
        test="laws/judging/test_unlike.py::test_what_moves_in_many_runs_is_no_law_of_the_others",
    )
    stated_noise: float = limit(
        0.15,
        statistic="variance in one frequency band over the stated noise's variance there, less 1, "
        "of samples that lie on no path",
        unit="1",
        reason="tolerance: noise that is told, or read from one step of a map, is right to some 7 "
        "%, and no fast modes tell it anew",
        off=0.0,
        test="laws/judging/test_drift.py::test_noise_that_is_stated_may_be_somewhat_too_small",
    )
    drift_level: float = limit(
        0.05,
        statistic="probability that the drift exceeds the upper end of its interval",
        unit="1",
        reason="Student's distribution of the drift's square, on a scale between linear and "
        "logarithmic; candidate k of a search must exclude drift at this level over k(k + 1)",
        level=0.05,
        off=0.5,
        test="laws/judging/test_evidence.py::test_the_drift_has_a_bound_where_none_is_seen",
    )
    uneven_error: float = limit(
        2.0,
        statistic="standard error of the drift's square with all samples alike, over that with "
        "noisy samples counting less",
        unit="1",
        reason="tolerance: up to it all samples count alike, and the bound is for whole runs; "
        "beyond, a few noisy samples would hide what the others tell",
        off=math.inf,
        test="laws/judging/test_evidence.py::test_a_few_noisy_samples_do_not_hide_the_others",
    )
    hidden_samples: float = limit(
        0.02,
        statistic="share of samples at which noise moves a formula by more than it differs between "
        "runs",
        unit="1",
        reason="tolerance: such samples say nothing, and up to so many are left out of the bound "
        "and told; with more of them the bound is for all",
        off=math.inf,
        test="laws/judging/test_evidence.py::test_a_bound_holds_in_noisy_places_too",
    )
    rounding_drift: float = limit(
        2e-6,
        statistic="drift, or what is left of terms that cancel, as a fraction of the spread",
        unit="spread",
        reason="tolerance: rounding of tables of numbers, and errors of integration",
        off=-1.0,
        test="laws/judging/test_verdict.py::test_motion_below_rounding_is_none",
    )
    resolved_drift: float = limit(
        0.2,
        statistic="upper end of the drift's interval, as a fraction of the spread",
        unit="spread",
        reason="tolerance: an equivalence bound; a law is known only where more drift is excluded",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    small_drift: float = limit(
        0.02,
        statistic="upper end of the drift's interval, as a fraction of the spread",
        unit="spread",
        reason="tolerance: what is called nearly conserved drifts no more",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_drifts_is_not_nearly_conserved",
    )
    plain_drift: float = limit(
        0.1,
        statistic="lower end of the drift's interval of a rejected formula",
        unit="spread",
        reason="tolerance: rounding the coefficients repairs smaller drift, but never this",
        off=math.inf,
        test="laws/judging/test_judge.py::test_what_plainly_drifts_keeps_its_coefficients",
    )
    hopeless_factor: float = limit(
        6.0,
        statistic="motion of a candidate on held-out runs over the limits on flatness and drift",
        unit="1",
        reason="tolerance: refining the coefficients reduces motion, but never so much",
        off=math.inf,
        test="laws/judging/test_judge.py::test_what_held_out_runs_refute_is_hopeless",
    )
    slow_slack: float = limit(
        1.5,
        statistic="flatness of a nearly conserved formula without a term, over that with it",
        unit="1",
        reason="tolerance: where motion is not noise alone, corrections of higher order lower it; "
        "the short formula is wanted",
        off=math.inf,
        test="laws/test_search.py::test_nearly_conserved_is_approximate",
    )

    # --- Signal: law or identity ---
    signal: float = limit(
        0.5,
        statistic="variance between runs over variance within runs, by motion or noise",
        unit="1",
        reason="tolerance: a law has another value on another orbit",
        off=0.0,
        test="laws/judging/test_verdict.py::test_a_law_tells_orbits_apart",
    )
    no_signal: float = limit(
        0.3,
        statistic="variance between runs over variance within runs, by motion or noise",
        unit="1",
        reason="tolerance: an identity has one value on all orbits",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_a_law_tells_orbits_apart",
    )
    cancellation: float = limit(
        0.5,
        statistic="standard deviation of a formula over that of its terms, each alone",
        unit="1",
        reason="tolerance: an identity's terms vary and cancel; a sum of noise does not",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_an_identity_is_short_and_its_terms_cancel",
    )
    unrelated: float = limit(
        1e-3,
        statistic="share of shuffles of the coordinates in which a formula varies as little",
        unit="1",
        reason="permutation distribution over samples of coordinates that are independent of each "
        "other",
        level=1e-3,
        off=1.0,
        test="laws/judging/test_constraint.py::test_uniform_numbers_obey_nothing",
    )
    identity_slope: float = limit(
        1.5,
        statistic="what noise makes of an identity by its gradient, over what it makes by its "
        "curvature, and what rounding leaves of its terms' gradients",
        unit="1",
        reason="tolerance: 1 for the square of what vanishes, 0 for higher powers; 2 for a circle "
        "with noise of a quarter of its radius",
        off=0.0,
        test="laws/judging/test_constraint.py::test_powers_of_an_identity_say_nothing_new",
    )
    identity_seen: float = limit(
        1.5,
        statistic="size of an identity's terms over the noise of their sum, in the median run",
        unit="1",
        reason="tolerance: at most 1 for noise alone; what all runs are said to obey is seen in "
        "most of them",
        off=0.0,
        test="laws/judging/test_constraint.py::test_what_few_runs_show_is_not_obeyed_by_all",
    )
    along_run: float = limit(
        0.1,
        statistic="upper end of the motion along whole runs, windows of which are judged",
        unit="of the terms' spread",
        reason="tolerance: few runs have no spread between them, and a function that keeps a tenth "
        "of what its terms move is slow at best",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_what_moves_along_the_run_is_not_named",
    )
    identity_terms: float = limit(
        6,
        statistic="terms of an identity",
        unit="terms",
        reason="tolerance: long sums of nearly dependent terms cancel without a reason",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_an_identity_is_short_and_its_terms_cancel",
    )

    # --- Free numbers: a formula with many of them can imitate a law ---
    modest_numbers: float = limit(
        3,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more may imitate a law, unless its coefficients are too simple "
        "for chance",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    modest_factor: float = limit(
        2.0,
        statistic="what divides the limit on drift for such a formula",
        unit="1",
        reason="tolerance: an imitation's drift is excluded only by a lower limit",
        off=1.0,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    many_numbers: float = limit(
        5,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more can fit almost anything, and any sign of motion counts",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    many_factor: float = limit(
        2.0,
        statistic="what divides the limits on drift for such a formula, once more",
        unit="1",
        reason="tolerance: of flows without laws, no polynomial of many numbers moves by less than "
        "16 % of its spread; a third of that",
        off=1.0,
        test="laws/judging/test_verdict.py::test_more_free_numbers_must_be_known_better",
    )
    simple_by_chance: float = limit(
        0.01,
        statistic="probability that arbitrary coefficients would be rounded to such simple ones",
        unit="1",
        reason="coefficients spread evenly over the logarithm, simple ratios as dense as counted",
        level=0.01,
        off=1.0,
        test="laws/judging/test_verdict.py"
        "::test_coefficients_too_simple_by_chance_need_no_better_knowledge",
    )

    # --- Patience: when a library is left; the report names those that are ---
    most_work: float = limit(
        6000.0,
        statistic="squares of the numbers of terms of a library's candidates that were judged in "
        "vain, added",
        unit="matrix entries of 4000 rows",
        reason="tolerance: a hundred formulas of eight terms, or two dozen of sixteen, that are no "
        "laws; what is not judged then may be one",
        off=math.inf,
        test="laws/test_skipped.py::test_a_library_that_is_left_is_named[most_work]",
    )
    most_refuted: float = limit(
        40,
        statistic="refuted candidates of one library, or such as are nearly conserved",
        unit="candidates",
        reason="tolerance: candidates come simplest first; what is not judged then may be a law. "
        "Beside what is nearly conserved are all functions of it, without end",
        off=math.inf,
        test="laws/test_skipped.py::test_a_library_that_is_left_is_named[most_refuted]",
    )
    most_hidden: float = limit(
        200,
        statistic="refuted candidates of libraries most functions of which noise hides",
        unit="candidates",
        reason="tolerance: where most functions move by no more than noise, richer libraries hold "
        "these and more; five gave all the candidates that one may give",
        off=math.inf,
        test="laws/test_skipped.py::test_where_noise_hides_most_functions_the_search_ends",
    )
    most_in_vain: float = limit(
        400,
        statistic="formulas that all libraries of a search had judged and that are no exact laws; "
        "one of nine terms counts as two, for it takes as long",
        unit="formulas",
        reason="tolerance: each takes some twentieth of a second in tables of thousands of rows, "
        "and a search must end; simple libraries come first. In ten known systems at three levels "
        "of noise the last law came after fewer than half as many, after five in all but one",
        off=math.inf,
        test="laws/test_skipped.py::test_a_search_that_judges_in_vain_ends",
    )
    most_alike: float = limit(
        10,
        statistic="candidates of one library and of one number of terms that are refuted, or such "
        "as are nearly conserved",
        unit="candidates",
        reason="tolerance: a null space of dimension k has some ten such formulas or fewer; longer "
        "ones are to have their turn",
        off=math.inf,
        test="laws/test_skipped.py::test_a_library_that_is_left_is_named[most_alike]",
    )

    most_inside: int = limit(
        8,
        statistic="numbers inside the terms of a formula",
        unit="numbers",
        reason="tolerance: where they are more, they stay as they were found; slopes by them take "
        "minutes to compile for each formula, and a formula of so many numbers is no reading",
        off=math.inf,
        test="laws/judging/test_numbers_inside.py::test_of_many_numbers_inside_none_is_moved",
    )

    # --- Doubt: an exact formula that a simpler one, found later, may replace ---
    doubt_factor: float = limit(
        2.0,
        statistic="cost of a formula in doubt over its cost without",
        unit="1",
        reason="tolerance: the law may be twice as complex as what imitates it",
        off=1.0,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    doubt_terms: float = limit(
        3,
        statistic="terms of a formula",
        unit="terms",
        reason="tolerance: nothing simpler is left for a formula of fewer to imitate",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    doubt_numbers: float = limit(
        2,
        statistic="free numbers of a formula",
        unit="numbers",
        reason="tolerance: one with more has numbers left to fit with",
        off=math.inf,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    vanishing_gradient: float = limit(
        0.01,
        statistic="length of a function's gradient at a point, over the upper quartile of all",
        unit="1",
        reason="tolerance: what is left of a gradient that vanishes is the error of its numbers, "
        "and has a direction of its own",
        off=0.0,
        test="laws/judging/test_independence.py::test_a_direction_counts_where_there_is_a_gradient",
    )
    doubt_error: float = limit(
        0.05,
        statistic="standard error of a coefficient, over the coefficient",
        unit="1",
        reason="of z = 1/0.05 standard errors another function, whose own part beside the other "
        "terms correlates with that of this one by 0.99, leaves z √(1 − 0.99²) = 2.8: by chance",
        level=0.005,
        off=math.inf,
        test="laws/judging/test_verdict.py::test_a_number_hardly_known_is_in_doubt",
    )
    unknown_number: float = limit(
        0.5,
        statistic="least standard error of a coefficient beside that of the leading term, over the "
        "coefficient",
        unit="1",
        reason="where none is two standard errors from zero, nothing tells the sum from its "
        "leading term, which moves",
        level=0.05,
        off=math.inf,
        test="laws/test_search.py::test_a_sum_of_unknown_numbers_is_no_law",
    )
    imitation_drift: float = limit(
        1e-3,
        statistic="upper end of the drift's interval of a formula with one number to fit with",
        unit="spread",
        reason="tolerance: no imitation was seen to come closer to a law",
        off=0.0,
        test="laws/judging/test_verdict.py::test_doubt",
    )
    imitation_gain: float = limit(
        0.1,
        statistic="how much closer an imitation may come by each further number",
        unit="1",
        reason="tolerance: one more number in an expansion gains about one digit",
        off=1.0,
        test="laws/judging/test_verdict.py::test_each_number_more_imitates_better",
    )
    drift_signs: float = limit(
        1.3e-3,
        statistic="probability that a true law shows as much drift",
        unit="1",
        reason="Student's distribution of a mean over runs, one-sided",
        level=1.3e-3,
        off=0.0,
        test="laws/judging/test_verdict.py::test_doubt",
    )

    # --- Selection: which laws are independent ---
    sine: float = limit(
        0.04,
        statistic="median sine of the angle from a gradient to the span of the others",
        unit="1",
        reason="tolerance: coefficients are known to the noise only, and at 1 % noise and more to "
        "no better than this; below it the limit falls with the noise",
        off=0.0,
        test="laws/judging/test_independence.py::test_almost_dependent_is_dependent",
    )
    sine_of_rounding: float = limit(
        2e-3,
        statistic="the same where noise is next to none",
        unit="1",
        reason="tolerance: coefficients are rounded, and motion is an integrator's",
        off=math.inf,
        test="laws/test_search.py::test_a_law_that_others_nearly_tell_is_seen",
    )
    no_slope: float = limit(
        1e-3,
        statistic="size of a gradient over that of its terms' gradients, where identities hold",
        unit="1",
        reason="tolerance: the square of what vanishes has none but for rounded coefficients",
        off=0.0,
        test="laws/test_search.py::test_the_square_of_an_identity_says_nothing_new",
    )
    worth_judging: float = limit(
        0.01,
        statistic="share of a formula's spread between runs that laws do not explain, whose "
        "gradients are nearly its own",
        unit="1",
        reason="tolerance: it saves work alone; what is judged has to be known better than this",
        off=math.inf,
        test="laws/test_search.py::test_a_law_that_others_nearly_tell_is_seen",
    )
    learned_sine: float = limit(
        0.3,
        statistic="the same for learned features",
        unit="1",
        reason="tolerance: gradients of a network are known less well than its values",
        off=0.0,
        test="laws/judging/test_selection.py::test_learned_features_nearly_alike_count_once",
    )
    outermost: float = limit(
        0.02,
        statistic="share of the fitted states that are left out of the domain of a law as numbers",
        unit="1",
        reason="tolerance: an expansion is known where data surround a state; there the outermost "
        "are not, and errors of coefficients grow by orders of magnitude",
        off=0.0,
        test="laws/free/test_mechanical.py::test_a_law_as_numbers_is_judged_where_it_is_known",
    )
    truncation: float = limit(
        1 / 3,
        statistic="error of a law as numbers over what the last three degrees of its expansion "
        "changed in it",
        unit="1",
        reason="tolerance: coefficients of a smooth function fall geometrically, so that what is "
        "left out is less than what the last degrees added; what is not conserved moves as much at "
        "any degree",
        off=0.0,
        test="laws/free/test_mechanical.py::test_without_noise_an_expansion_is_known_to_its_error",
    )
    slope_error: float = limit(
        4.0,
        statistic="error of a gradient over the drift that is not excluded",
        unit="1",
        reason="tolerance: a formula may have what is not excluded from another law's gradient",
        off=0.0,
        test="laws/judging/test_selection.py::test_a_law_known_badly_must_differ_more",
    )
    unexplained_drift: float = limit(
        3.0,
        statistic="spread between runs that other laws leave unexplained, over the drift that is "
        "not excluded",
        unit="1",
        reason="tolerance: what is left of a law in doubt must be clearly more than its errors",
        off=0.0,
        test="laws/judging/test_selection.py::test_a_doubtful_law_that_others_explain_goes",
    )
    runs_per_coefficient: float = limit(
        3,
        statistic="runs over coefficients of the polynomial in other laws that may explain one",
        unit="runs",
        reason="tolerance: with fewer, a polynomial fits anything",
        off=0.0,
        test="laws/judging/test_selection.py::test_few_runs_explain_nothing",
    )

    # --- Places and species that are searched ---
    further_centre: float = limit(
        1e-3,
        statistic="probability that a centre which is none explains as much of the motion left",
        unit="1",
        reason="χ² distribution of the gain, with a place and a strength as degrees of freedom, of "
        "as many samples as are independent",
        level=1e-3,
        off=1.0,
        test="laws/free/test_centres.py::test_one_centre_is_not_two",
    )
    species: int = limit(
        4,
        statistic="species of bodies, each two of them with a coupling of their own",
        unit="species",
        reason="tolerance: four have ten couplings; an energy of more numbers is found from masses "
        "or charges alone, or imitates one",
        off=10**6,
        test="laws/test_species.py::test_bodies_that_are_all_unlike_are_no_species",
    )

    # --- Intervals and tests on few runs ---
    skewed_motion: float = limit(
        2.0,
        statistic="margins added to a drift's square before its logarithm is taken",
        unit="margins",
        reason="tolerance: noise makes it symmetric, motion skewed; the interval holds of both",
        off=0.0,
        test="laws/judging/test_intervals.py::test_the_bound_on_a_drift",
    )
    leverage: float = limit(
        4.0,
        statistic="weight of a sample in the largest of all sums over the average",
        unit="1",
        reason="tolerance: sums of many samples are normal, those that few decide are not",
        off=1000000000.0,
        test="laws/judging/test_following.py::test_few_samples_far_out_decide_nothing",
    )

    # --- Features that are learned, and columns that are off ---
    hopeless_feature: float = limit(
        10.0,
        statistic="distance from flat at which features would end as they began",
        unit="1",
        reason="tolerance: three times what was expected is common, ten times is not",
        off=math.inf,
        test="laws/learned/test_library.py::test_training_ends_early_where_no_feature_becomes_flat",
    )
    off_by_run: float = limit(
        1.0,
        statistic="error of a column in a run over its spread",
        unit="spreads",
        reason="tolerance: an error as large as what is measured explains anything",
        off=math.inf,
        test="laws/test_off_by_run.py::test_an_error_beyond_the_spread_is_none",
    )

    # --- The conclusion for a data set ---
    min_runs: float = limit(
        8,
        statistic="runs",
        unit="runs",
        reason="tolerance: with fewer, two or three judge, and intervals with one or two degrees "
        "of freedom exclude next to nothing",
        off=0,
        test="laws/judging/test_conclusion.py::test_undecided[few runs]",
    )
    short_arc: float = limit(
        0.2,
        statistic="motion along runs over the variance of all samples, of the coordinate that "
        "moves most",
        unit="1",
        reason="tolerance: on short arcs every flow has local laws",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    short_open_arc: float = limit(
        0.4,
        statistic="the same where runs do not turn round",
        unit="1",
        reason="tolerance: on open arcs every flow has local laws",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    turning_runs: float = limit(
        0.1,
        statistic="share of runs that turn round",
        unit="1",
        reason="tolerance: of open arcs, noise turns a few",
        off=0.0,
        test="laws/judging/test_conclusion.py::test_how_short_an_arc_is",
    )
    rest: float = limit(
        0.05,
        statistic="motion in the last tenth of a run over all its way",
        unit="1",
        reason="tolerance: a run that comes to rest was seen whole",
        off=0.0,
        test="laws/judging/test_selection.py::test_runs_that_come_to_rest_are_complete",
    )
    resting_runs: float = limit(
        0.5,
        statistic="share of runs that come to rest",
        unit="1",
        reason="tolerance: most runs were seen whole",
        off=math.inf,
        test="laws/judging/test_selection.py::test_runs_that_come_to_rest_are_complete",
    )
    relative_noise: float = limit(
        0.3,
        statistic="noise over the coordinate's spread, or over a radian for an angle",
        unit="1",
        reason="tolerance: more noise hides laws, and that none is found means nothing",
        off=math.inf,
        test="laws/judging/test_conclusion.py::test_undecided[loud noise]",
    )

    formed_noise: float = limit(
        0.71,
        statistic="noise over spread of the velocities that were formed, the least of them",
        unit="1",
        reason="tolerance: half of the variance is noise; velocities that hold less of motion "
        "than of noise admit any function of them",
        off=math.inf,
        test="test_positions_only.py::test_velocities_that_are_noise_are_not_searched",
    )

    beside_formed: float = limit(
        1.0,
        statistic="noise over spread of any coordinate beside velocities that were formed",
        unit="1",
        reason="tolerance: what varies by less than its noise is not seen, and less so its slope",
        off=math.inf,
        test="test_positions_only.py::test_columns_with_a_memory_are_not_searched",
    )

    # --- How fast a nearly conserved quantity drifts ---
    trend_level: float = limit(
        0.023,
        statistic="probability that noise shows as large a mean square slope along runs",
        unit="1",
        reason="Student's distribution of a mean over runs, one-sided",
        level=0.023,
        off=1.0,
        test="laws/judging/test_trend.py::test_noise_has_no_trend",
    )
    friction_level: float = limit(
        0.001,
        statistic="probability that a rate of loss that is zero is found as large",
        unit="1",
        reason="the normal distribution of a rate in its standard errors",
        level=0.001,
        off=1.0,
        test="laws/judging/test_decay.py::test_a_rate_may_be_zero",
    )
    friction_gives: float = limit(
        0.01,
        statistic="what friction gives over what it takes, and negative kinetic energy over "
        "positive",
        unit="1",
        reason="tolerance: rounded coefficients and noise of velocities near zero; friction takes "
        "always",
        off=math.inf,
        test="laws/decaying/test_search.py::test_what_gives_is_no_friction",
    )
    friction_rest: float = limit(
        0.02,
        statistic="motion along runs of an energy with its losses, over that without them, where "
        "the balance is not exact",
        unit="1",
        reason="tolerance: friction of a kind that is near those of the library, and errors of "
        "integration where dry friction jumps",
        off=math.inf,
        test="laws/decaying/test_search.py::test_friction_of_another_kind",
    )
    one_rate: float = limit(
        0.1,
        statistic="what of a loss is not in proportion to the kinetic energy that it is taken of, "
        "errors of the coefficients set aside, over the loss",
        unit="1",
        reason="tolerance: a loss time and a quality factor are read to one digit",
        off=math.inf,
        test="laws/decaying/test_search.py::test_friction_that_is_not_linear",
    )


# --- fields on a grid ----------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldCriteria:
    """Integrals of densities."""

    # The grid: a ring, or a line between walls
    end_step: float = limit(
        2.0,
        statistic="root mean square step from the last point to the first, over the largest one "
        "between neighbours, noise taken off",
        unit="1",
        reason="tolerance: on a ring all steps are alike but for where the field happens to be "
        "steep; between walls the ends differ by as much as the field does",
        off=float("inf"),
        test="pde/test_grid.py::test_ends",
    )

    fixed_end: float = limit(
        0.2,
        statistic="root mean square misfit of the end point's value to an odd cubic about the wall "
        "through the next two, over the step between the first two, noise taken off",
        unit="1",
        reason="tolerance: half a step's difference in the place of the wall gives half the step, "
        "and on a ring the misfit is larger than the step",
        off=0.0,
        test="pde/test_grid.py::test_fixed_ends",
    )

    # Gross errors
    kept_states: float = limit(
        0.8,
        statistic="share of the states that are left when those with many gross errors are not",
        unit="1",
        reason="tolerance: what spoils more states than that is in the data's nature, and what is "
        "left would be a selection",
        off=0.0,
        test="pde/test_mending.py::test_errors_in_too_many_states_stay",
    )

    gross_in_time: float = limit(
        0.5,
        statistic="by how much a value does not fit the samples before and after it, over how much "
        "it does not fit its neighbours on the grid",
        unit="1",
        reason="tolerance: an error is as large in time as along the grid; what a field has at a "
        "source comes and goes, and fits the samples before and after it",
        off=-math.inf,
        test="pde/test_mending.py::test_a_peak_that_swings",
    )
    gross_beyond: float = limit(
        0.5,
        statistic="by how much a value lies beyond both neighbours on the grid, over how much it "
        "does not fit them",
        unit="1",
        reason="tolerance: an error stands out by nearly all of its misfit, a point of a front by "
        "little or nothing",
        off=1e9,
        test="pde/test_mending.py::test_states_with_errors_side_by_side_are_left_out",
    )
    gross_left: float = limit(
        0.2,
        statistic="largest misfit of the four neighbours without a value, over that value's misfit",
        unit="1",
        reason="tolerance: nothing is left by an error, and at least 0.28 by a front from one "
        "level to another over one or two points",
        off=1e9,
        test="pde/test_mending.py::test_a_shock_that_passes",
    )

    # The noise and the waves that stand out of it
    short_waves_least: float = limit(
        0.8,
        statistic="noise by the shortest waves, over the bound by smoothness in time and space",
        unit="1",
        reason="tolerance: both estimates of white noise agree within a few percent; waves that "
        "hold less hold rounding, or noise that is not white",
        off=0.0,
        test="pde/test_waves.py::test_short_waves_that_hold_less_than_the_noise",
    )
    short_waves_most: float = limit(
        1.3,
        statistic="noise by the shortest waves, over the bound by smoothness in time and space",
        unit="1",
        reason="tolerance: where noise varies along the grid, the bound, by medians, is below the "
        "root mean square; waves that hold more are those of the field",
        off=float("inf"),
        test="pde/test_waves.py::test_short_waves_that_move",
    )
    wave_power: float = limit(
        0.2,
        statistic="power of a frequency above the noise's, over the noise's",
        unit="1",
        reason="tolerance: the noise's power is known to some percent, and waves with less than "
        "this beside it add more noise to an integral than they add to its value",
        off=-1.0,
        test="pde/test_waves.py::test_waves_of_noise_alone_are_left_out",
    )
    correlated: float = limit(
        1.3,
        statistic="noise of a wave number in time, over what white noise along the grid gives it",
        unit="1",
        reason="tolerance: both are known to some percent, and noise that is correlated over a "
        "grid cell has twice as much in long waves",
        off=math.inf,
        test="pde/test_waves.py::test_noise_that_is_correlated_along_the_grid",
    )
    shared_noise: float = limit(
        1e-3,
        statistic="probability that white noise has as much more of it in one of the wave numbers",
        unit="1",
        reason="χ² distribution, Bonferroni over the wave numbers; degrees of freedom: differences "
        "times waves, over the twelve that overlapping differences and their median count for one",
        level=1e-3,
        off=math.inf,
        test="pde/test_waves.py::test_few_samples_do_not_tell_shared_noise",
    )
    white_in_time: float = limit(
        1.25,
        statistic="size of a wave number's differences of eighth order in time, over those of "
        "twelfth",
        unit="1",
        reason="tolerance: 1 for noise that is white in time; a wave of more than three samples a "
        "period has more than 1.6",
        off=math.inf,
        test="pde/test_waves.py::test_fast_waves_are_no_noise",
    )
    bias_weight: float = limit(
        100.0,
        statistic="weight of squared bias against variance in smoothing along time",
        unit="1",
        reason="tolerance: bias of at most a tenth of the noise's size. A wave that is cut short "
        "at every turn is so in its square too, and an energy is a sum of squares",
        off=1.0,
        test="pde/test_waves.py::test_smoothing_keeps_the_power_of_a_wave",
    )

    # Where a field's origin is
    off: float = limit(
        3.0,
        statistic="mean of a field beyond which polynomials about a round number near it are "
        "looked at as well",
        unit="standard deviations of the field",
        reason="tolerance: a field that hardly comes near zero has no reason to be expanded there",
        off=math.inf,
        test="pde/test_place.py::test_a_field_off_zero",
    )
    far_off: float = limit(
        30.0,
        statistic="mean of a field beyond which nothing but that is looked at",
        unit="standard deviations of the field",
        reason="tolerance: powers up to the sixth of such a field are one to nine digits",
        off=math.inf,
        test="pde/test_place.py::test_a_field_far_from_zero",
    )

    # How much the fields move
    moving_spread: float = limit(
        5.0,
        statistic="spread of a smoothed number over all states, over the noise of one value",
        unit="standard deviations",
        reason="tolerance: an integral that noise hides does not tell whether the runs move, nor "
        "whether noise is small beside the motion",
        off=0.0,
        test="pde/test_waves.py::test_integrals_that_noise_hides_show_no_motion",
    )

    # Which integrals are laws, and which laws are one
    excluded_motion: float = limit(
        0.05,
        statistic="upper end of the interval of systematic motion, over the spread",
        unit="1",
        reason="tolerance: an integral over a grid has little noise beside its spread, so that "
        "less motion than in other laws can be excluded",
        off=float("inf"),
        test="pde/test_analysis.py::test_a_law_is_known_where_motion_is_excluded",
    )
    imitation: float = limit(
        0.5,
        statistic="sine of the angle of a law's functional derivative to the span of the others', "
        "over the ratio of the noise to the motion along runs",
        unit="1",
        reason="tolerance: a formula that imitates a law within the noise has a derivative that "
        "differs by less; two laws differ by more, also where a large mean makes most of both "
        "(the momentum of waves on deep water beside its volume)",
        off=float("inf"),
        test="pde/test_analysis.py::test_a_law_beside_a_large_mean",
    )
    least_sine: float = limit(
        0.005,
        statistic="sine of the angle of a law's functional derivative to the span of the others', "
        "where there is no noise and the law has numbers to imitate with",
        unit="1",
        reason="tolerance: many fitted numbers make a law of what is none but for a millionth",
        off=0.0,
        test="pde/test_analysis.py::test_laws_that_differ_little_without_noise",
    )


# --- symmetries, brackets, algebras --------------------------------------------------------------


@dataclass(frozen=True)
class SymmetryCriteria:
    """Symmetries of a metric, and the algebras of laws and symmetries."""

    # Which defects are those of symmetries: root mean square Lie derivative over field and slopes.
    defect_double: float = limit(
        1e-06,
        statistic="defect of a field on an exact metric or condition",
        unit="1",
        reason="tolerance: rounding of double precision in metrics and in their derivatives",
        off=1e9,
        test="symmetries/test_conditions.py::test_fields_that_keep_an_output",
    )
    defect_single: float = limit(
        0.001,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision in metrics and in their derivatives",
        off=1e9,
        test="symmetries/test_counting.py::test_single_precision_has_its_own_limit",
    )
    defect_learned: float = limit(
        0.03,
        statistic="defect of a field on a fitted model that does not tell its error",
        unit="1",
        reason="tolerance: what training leaves; fields broken by more are symmetries of no use",
        off=1e9,
        test="symmetries/test_counting.py::test_what_a_fitted_model_breaks_by_more_is_not_counted",
    )
    gap: float = limit(
        4.0,
        statistic="next defect over the last that counts, for fitted models",
        unit="1",
        reason="tolerance: errors of a fitted metric grow from field to field without a jump",
        off=1.0,
        test="symmetries/test_counting.py::test_a_gap_follows_the_symmetries_of_a_fitted_model",
    )
    defect_nearly: float = limit(
        0.03,
        statistic="defect of a field that is listed as nearly a symmetry",
        unit="1",
        reason="tolerance: larger defects are of no interest to a reader; nothing is counted by it",
        off=1e9,
        test="symmetries/test_finder.py::test_a_slight_break_is_listed_as_nearly_but_not_counted",
    )
    network_defect_bounded: float = limit(
        0.01,
        statistic="defect of a network's field where transport bounds the number",
        unit="1",
        reason="tolerance: what training of the network leaves",
        off=1e9,
        test="symmetries/candidates/test_network_fields.py::test_what_a_network_missed_is_not_counted",
    )
    network_defect: float = limit(
        0.003,
        statistic="defect of a network's field where nothing bounds the number",
        unit="1",
        reason="tolerance: networks also find what is almost a symmetry",
        off=1e9,
        test="symmetries/candidates/test_network_fields.py::test_near_symmetries_of_a_fitted_metric_are_none",
    )

    # What the error of a learned metric makes of defects (symmetries.metric_error).
    error_factor: float = limit(
        2.0,
        statistic="defect over the one that the metric's own error makes",
        unit="1",
        reason="tolerance: a true symmetry's defect is about once that error, an estimate",
        off=1e9,
        test="symmetries/test_counting.py::test_defects_are_counted_against_the_metric_s_own_error",
    )
    least_defect: float = limit(
        0.002,
        statistic="least limit of a defect, however well the metric fits",
        unit="1",
        reason="tolerance: a network is never the true metric, though its draws agree",
        off=0.0,
        test="symmetries/test_counting.py::test_a_metric_that_claims_no_error_has_some",
    )
    greatest_defect: float = limit(
        0.1,
        statistic="greatest limit of a defect, however badly the metric fits",
        unit="1",
        reason="tolerance: fields that break a symmetry by a tenth are none, whatever the error",
        off=1e9,
        test="symmetries/test_counting.py::test_no_error_excuses_a_field_that_breaks_everything",
    )
    nearness: float = limit(
        3.0,
        statistic="defect of a field that was not counted, over its limit",
        unit="1",
        reason="tolerance: below it the error does not tell symmetries from others",
        off=0.0,
        test="symmetries/test_counting.py::test_a_field_just_beyond_its_limit_leaves_doubt",
    )
    misfit: float = limit(
        0.1,
        statistic="share of the motion's mean square that a learned Lagrangian leaves",
        unit="1",
        reason="tolerance: noise of accelerations; what is not explained may break every symmetry",
        off=1e9,
        test="symmetries/geometry/test_sources.py::test_motion_that_is_not_explained_tells_nothing",
    )
    bend: float = limit(
        0.001,
        statistic="unexplained motion over that of a metric that changes altogether over the data",
        unit="1",
        reason="tolerance: motion so straight is that of a flat metric, and what is left is noise",
        off=0.0,
        test="symmetries/geometry/test_sources.py::test_motion_that_is_straight_but_for_noise_is_believed",
    )

    # Libraries richer than the first, and whether they are tried.
    approximate_defect: float = limit(
        0.05,
        statistic="defect of a smooth field for which richer libraries are tried",
        unit="1",
        reason="tolerance: expansions of low degree approximate a symmetry to a few percent",
        off=0.0,
        test="symmetries/test_search.py::test_smooth_fields_promise_symmetries_that_richer_libraries_have",
    )
    wide_coordinate: float = limit(
        4.0,
        statistic="range of a coordinate beyond which it may be an angle",
        unit="coordinate units",
        reason="tolerance: an angle is tried where it goes most of the way round",
        off=1e9,
        test="symmetries/test_search.py::test_a_coordinate_that_goes_far_may_be_an_angle",
    )
    rich_defect_double: float = limit(
        1e-08,
        statistic="defect of a field in a library of many functions",
        unit="1",
        reason="tolerance: near symmetries of a small region come down to 1e-5",
        off=1e9,
        test="symmetries/test_search.py::test_near_symmetries_in_rich_libraries_are_none",
    )
    rich_defect_single: float = limit(
        0.0001,
        statistic="the same in single precision, where transport tells the number",
        unit="1",
        reason="tolerance: rounding of single precision",
        off=1e9,
        test="symmetries/test_search.py::test_rich_libraries_in_single_precision",
    )
    falling_defect: float = limit(
        0.3,
        statistic="defect of a smooth field over that of degree three less",
        unit="1",
        reason="tolerance: defects of symmetries vanish as the degree grows, others halt",
        off=1e9,
        test="symmetries/test_search.py::test_defects_that_come_to_a_halt_are_no_symmetries",
    )
    angle_gap: float = limit(
        0.6,
        statistic="widest gap between samples of an angle that goes round",
        unit="radians",
        reason="tolerance: samples of a circle leave gaps; an arc's ends leave a wide one",
        off=1e9,
        test="symmetries/candidates/test_smooth_fields.py::test_an_arc_is_no_circle",
    )
    denominator_size: float = limit(
        0.001,
        statistic="least modulus of a common denominator over its greatest",
        unit="1",
        reason="tolerance: quotients are to be finite between the points too",
        off=0.0,
        test="symmetries/candidates/test_common_denominator.py::test_a_denominator_that_vanishes_is_none",
    )

    # Transport of Killing fields along loops.
    reached: float = limit(
        0.9,
        statistic="share of the points that edges without error reach",
        unit="1",
        reason="tolerance: a few points may lie where the metric is singular",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_where_points_cannot_be_joined_nothing_is_said",
    )
    loop_change_double: float = limit(
        1e-08,
        statistic="what loops change of a field, and the error of an edge",
        unit="1",
        reason="tolerance: rounding of double precision along many edges",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    loop_change_single: float = limit(
        0.0001,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision along many edges",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    doubtful_change_double: float = limit(
        1e-06,
        statistic="what loops change of a field of which one cannot say that it is none",
        unit="1",
        reason="tolerance: errors of edges add up",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    doubtful_change_single: float = limit(
        0.01,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: errors of edges add up",
        off=0.0,
        test="symmetries/transport/test_killing_space.py::test_what_loops_change",
    )
    segment_error_double: float = limit(
        1e-11,
        statistic="error of a segment of the loop round an angle",
        unit="1",
        reason="tolerance: rounding; it is larger near a pole, where the loop is none",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_a_loop_through_a_pole_is_none",
    )
    segment_error_single: float = limit(
        1e-05,
        statistic="the same in single precision",
        unit="1",
        reason="tolerance: rounding of single precision",
        off=1e9,
        test="symmetries/transport/test_killing_space.py::test_a_loop_through_a_pole_is_none",
    )

    # Killing tensors that are products of Killing fields.
    product_residual: float = limit(
        0.05,
        statistic="what the solutions leave of a product of symmetries, as a share",
        unit="1",
        reason="tolerance: fields are known to their defects; a product is held or not",
        off=1e9,
        test="symmetries/test_tensor_finder.py::test_a_library_without_products_is_undecided",
    )

    # Lie algebras.
    closure: float = limit(
        0.05,
        statistic="closure residual of the fitted constants",
        unit="1",
        reason="tolerance: formulas are rounded, fields of learned metrics known to a few percent",
        off=1e9,
        test="algebra/test_lie_algebra.py::test_what_does_not_close_has_no_name",
    )
    eigenvalue_gap: float = limit(
        0.15,
        statistic="gap between eigenvalues of a map of the centroid, over its norm",
        unit="1",
        reason="tolerance: nilpotent parts spread an eigenvalue by the root of the error",
        off=1e9,
        test="algebra/test_lie_algebra.py::test_names_do_not_depend_on_the_basis[0.0-so(4)]",
    )

    # Laws and symmetries, paired: formulas of laws have rounded coefficients.
    span_residual: float = limit(
        0.05,
        statistic="what a span leaves of a field or gradient, as a share",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1.0,
        test="noether/test_agreement.py::test_a_law_that_was_missed_is_named",
    )
    new_generator: float = limit(
        0.03,
        statistic="part of a function outside the span of the others, over its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[Kepler in the plane]",
    )
    central_bracket: float = limit(
        0.01,
        statistic="root mean square of a bracket over that of its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=0.0,
        test="noether/test_pairing.py::test_an_algebra_of_rounded_quantities",
    )
    energy_bracket: float = limit(
        0.01,
        statistic="median of a law's bracket with the energy, over its terms",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[magnetic field]",
    )
    flow_noise: float = limit(
        4.0,
        statistic="square of the motion over windows that a function's flow leaves, over the noise",
        unit="1",
        reason="tolerance: smoothing leaves about half of it, and forces add theirs",
        off=0.0,
        test="noether/test_naming.py::test_names_under_noise",
    )
    flow_rest: float = limit(
        1e-3,
        statistic="share of the motion over windows that a function's flow leaves besides",
        unit="1",
        reason="tolerance: rounded coefficients, and integrals over samples near a chart's pole",
        off=1e9,
        test="noether/test_naming.py::test_no_function_of_laws_is_the_energy",
    )
    energy_gain: float = limit(
        2.0,
        statistic="what a flow leaves, over what it leaves beside those of the other laws",
        unit="1",
        reason="tolerance: what noise leaves, another law's flow explains a little of by chance",
        off=1e30,
        test="noether/test_naming.py::test_a_little_of_another_law_is_seen",
    )
    definite_share: float = limit(
        0.95,
        statistic="share of the states at which an energy's mass matrix is definite",
        unit="1",
        reason="tolerance: at the pole of a chart it degenerates, and a few states may be there",
        off=-1.0,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity[oscillator in the plane]",
    )
    mixed_mass: float = limit(
        0.01,
        statistic="entry off the diagonal of a mass matrix, over the largest",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=1e9,
        test="noether/test_pairing.py::test_symmetry_behind_each_quantity"
        "[two masses, relative energy]",
    )
    equal_coefficients: float = limit(
        0.02,
        statistic="difference of two coefficients over the largest",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded",
        off=0.0,
        test="noether/test_pairing.py::test_rounded_coefficients_as_a_report_gives_them",
    )
    absent_term: float = limit(
        1e-05,
        statistic="size of a term of a law's gradient over the largest, which its name ignores",
        unit="1",
        reason="tolerance: coefficients of formulas are rounded, and least squares add their own",
        off=0.0,
        test="noether/test_naming.py::test_laws_are_named",
    )
    no_part: float = limit(
        0.01,
        statistic="share of the motion that a law has in a sum of which it is no part",
        unit="1",
        reason="tolerance: what noise leaves, another law explains a little of by chance",
        off=0.0,
        test="noether/test_energy_among.py::test_what_is_no_part_of_the_energy_has_no_weight",
    )


# --- dynamics: do the laws tell the motion? ------------------------------------------------------


@dataclass(frozen=True)
class MotionCriteria:
    """Laws in use: equations of motion, and distances of runs."""

    weak_rest: float = limit(
        0.05,
        statistic="share of the square of changes over windows, or momenta, that a motion leaves",
        unit="1",
        reason="tolerance: noise of the path, and rounded coefficients before they are fitted",
        off=math.inf,
        test="dynamics/test_motion.py::test_a_law_that_does_not_move_the_data",
    )
    no_mass: float = limit(
        1e-7,
        statistic="least eigenvalue of the matrix of masses over the largest",
        unit="1",
        reason="tolerance: the square of a momentum has no mass but one, to the eight digits of "
        "numbers in formulas",
        off=-math.inf,
        test="dynamics/test_motion.py::test_the_square_of_a_momentum_is_no_energy",
    )
    misfit: float = limit(
        1.5,
        statistic="χ² of held-out windows, per degree of freedom",
        unit="1",
        reason="tolerance: the standard deviation of the noise is itself estimated, to a fifth",
        off=math.inf,
        test="dynamics/test_motion.py::test_what_the_laws_do_not_tell_is_refused",
    )
    window: float = limit(
        0.001,
        statistic="probability that noise of as much variance as `misfit` allows leaves as much of "
        "a window",
        unit="1",
        reason="χ² distribution, with the window's degrees of freedom",
        level=0.001,
        off=-1.0,
        test="dynamics/test_motion.py::test_a_window_of_another_motion_is_seen",
    )
    longer: float = limit(
        0.001,
        statistic="probability that noise takes as much from a fit as one start for two windows",
        unit="1",
        reason="F distribution of nested models: χ² lost over χ² left, each per degree of freedom",
        level=0.001,
        off=-1.0,
        test="dynamics/test_shooting.py::test_windows_stay_short_where_the_motion_is_not_exact",
    )
    equal: float = limit(
        0.05,
        statistic="probability that noise parts numbers that a formula has equal as far as a fit",
        unit="1",
        reason="χ² distribution of Wald's statistic, with as many degrees as equalities",
        level=0.05,
        off=-1.0,
        test="dynamics/test_motion.py::test_numbers_that_are_not_equal_part",
    )
    apart: float = limit(
        0.01,
        statistic="probability that noise puts two pieces of one level set as far apart",
        unit="1",
        reason="χ² distribution of the squared distance, with as many degrees as laws",
        level=0.01,
        off=-1.0,
        test="levels/test_distance.py::test_other_runs_are_far",
    )
    far: float = limit(
        1.0,
        statistic="how far a law's value is beyond those of the runs, over their range",
        unit="1",
        reason="tolerance: a law is known where there were data",
        off=math.inf,
        test="levels/test_sampling.py::test_what_cannot_be_drawn_is_told[asked5-far from the runs]",
    )
    region: float = limit(
        3.0,
        statistic="distance to the next measured state, over that within which nine of ten of them "
        "have one of another run",
        unit="1",
        reason="tolerance: a level set may go on in pieces where there were no data",
        off=math.inf,
        test="levels/test_sampling.py"
        "::test_places_of_one_energy_and_no_other_piece_of_the_level_set",
    )
    dependent: float = limit(
        1e-6,
        statistic="smallest singular value of the slopes of laws on a level set, over the largest",
        unit="1",
        reason="tolerance: rounding of slopes, and Newton's method's error",
        off=0.0,
        test="levels/test_sampling.py::test_what_cannot_be_drawn_is_told"
        "[asked7-depend on each other]",
    )


DATA = DataCriteria()
ANGLES = AngleCriteria()
HELD = HeldCriteria()
NOISE = NoiseCriteria()
LIBRARIES = LibraryCriteria()
FORMULAS = FormulaCriteria()
LAWS = LawCriteria()
FIELDS = FieldCriteria()
SYMMETRIES = SymmetryCriteria()
MOTION = MotionCriteria()
ALL = {
    "DATA": DATA,
    "ANGLES": ANGLES,
    "HELD": HELD,
    "NOISE": NOISE,
    "LIBRARIES": LIBRARIES,
    "FORMULAS": FORMULAS,
    "LAWS": LAWS,
    "FIELDS": FIELDS,
    "SYMMETRIES": SYMMETRIES,
    "MOTION": MOTION,
}
