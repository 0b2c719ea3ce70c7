"""The report: how many conserved quantities, which, how sure."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import sympy
from numpy.typing import ArrayLike

from discovery.data.coordinates import are_fields
from discovery.data.states import States
from discovery.data.trajectories import Trajectories
from discovery.dynamics.guided import GuidedMotion, guided
from discovery.dynamics.motion import Motion, checked
from discovery.estimation.manifold import checked_manifold
from discovery.levels.choice import chosen, exact_laws, known
from discovery.levels.conserved import Laws
from discovery.levels.distance import LawDistance
from discovery.levels.judged import judged
from discovery.levels.sampling import LevelSample, Seed, sample
from discovery.report import file
from discovery.report.comparison import Comparison
from discovery.report.documents import as_latex, as_markdown
from discovery.report.explanation import as_explanation
from discovery.report.pictures.laws import LawsDisplay
from discovery.report.pictures.portrait import PortraitDisplay, ProfilesDisplay
from discovery.report.pictures.spectrum import SpectrumDisplay
from discovery.report.pictures.style import axes_of
from discovery.report.quantity import Quantity
from discovery.report.summary import Summary
from discovery.report.text import as_text
from discovery.report.typesetting import spelled
from discovery.report.use import motion_from

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from matplotlib.axes import Axes

    from discovery.levels.embedding import LawEmbedding, Means


# States at which a user's formula is compared with the laws.
_COMPARED = 200


@dataclass(frozen=True, eq=False, repr=False)
class DiscoveryReport(Summary):
    """What `discover` found.

    Attributes
    ----------
    quantities : list of Quantity
        The exact laws first, simple before complex, then what decays, then the approximate ones;
        all independent.
    n_conserved : int
        Number of exact laws.
    verdict, reason, confidence : str, str, float
        ``"laws"``, ``"none"`` or ``"undecided"``; why, or what to measure next; and the share of
        resamples of held-out runs on which the same laws pass the same checks.
    identities, symmetries : lists of Quantity and of str
        What all runs obey alike, never counted; and the symmetries behind the laws.
    spectrum, resolution, noise, names, title, searched, shown, runs
        How it was found: see `discovery.report.summary.Summary`.
    """

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:
        laws = ", ".join(q.name or q.formula for q in self.quantities) or "no laws"
        return f"DiscoveryReport({laws}; verdict {self.verdict})"

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities)

    def __len__(self) -> int:
        return len(self.quantities)

    def __bool__(self) -> bool:
        # A report without laws is one too.
        return True

    def __eq__(self, other: object) -> bool:
        """Tell whether a report says the same, numbers too: what `save` writes of both is one.

        The runs do not count; what cannot be saved equals itself alone.
        """
        if self is other or not isinstance(other, DiscoveryReport):
            return True if self is other else NotImplemented
        try:
            return file.to_document(self) == file.to_document(other)
        except ValueError:
            return False

    def __hash__(self) -> int:
        return hash((self.title, self.verdict, self.names))

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a law of this name or formula, or whether this is one."""
        if isinstance(key, Quantity):
            return any(key is q for q in self.quantities)
        try:
            return isinstance(key, str) and bool(self[key])
        except KeyError:
            return False

    def __getitem__(self, key: int | slice | str) -> Quantity | list[Quantity]:
        """Return a quantity by its place, its name or its formula: ``report["energy"]``.

        A formula may be written in any form; a slice gives a list.

        Raises
        ------
        KeyError
            For what is none of them, and for a name that several have; the message names all.
        IndexError
            For a place that there is not.
        """
        if isinstance(key, slice):
            return self.quantities[key]
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"there is no law {key}. Expected {known(self.quantities)}.")
            return self.quantities[key]
        try:
            return chosen(self.quantities, key, self._some_states())
        except ValueError as error:
            raise KeyError(str(error)) from None

    def _some_states(self) -> np.ndarray:
        """Return states at which formulas are compared."""
        if self.runs is not None:
            return self.runs.rows[:: max(1, len(self.runs.rows) // _COMPARED)]
        return np.random.default_rng(0).standard_normal((_COMPARED, len(self.names)))

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from discovery.report import html

        return html.fragment(self)

    def to_html(self, path: str | os.PathLike | None = None) -> str:
        """Return the report as a page, and write it where a path is given.

        One file without scripts, with nothing to load; formulas are MathML.

        Parameters
        ----------
        path : path to the file, optional
        """
        from discovery.report import html

        return _written(html.page(self), path)

    def explain(self) -> str:
        """Return every number of the report in a sentence, and what decided each verdict.

        Each check of a quantity is listed with its statistic and its limit.
        """
        return as_explanation(self)

    def to_markdown(self, path: str | os.PathLike | None = None) -> str:
        """Return the report as Markdown, and write it where a path is given.

        Parameters
        ----------
        path : path to the file, optional
        """
        return _written(as_markdown(self), path)

    def to_latex(self, path: str | os.PathLike | None = None) -> str:
        """Return a piece of a LaTeX document, and write it where a path is given.

        A table of the formulas with the standard errors of their coefficients. It needs the
        package amsmath.

        Parameters
        ----------
        path : path to the file, optional
        """
        return _written(as_latex(self), path)

    def plot(
        self, kind: str = "spectrum", ax: Axes | Sequence[Axes] | None = None
    ) -> SpectrumDisplay | LawsDisplay | PortraitDisplay | ProfilesDisplay:
        """Draw the spectrum, the laws' values along runs, or a portrait of runs.

        Parameters
        ----------
        kind : {"spectrum", "laws", "portrait"}
            The flatness of each library's directions; the values of the laws along the few runs
            that the report keeps, with what noise explains; these runs in two coordinates, coloured
            by the value of the first law, over its level sets, or of fields the profiles of one
            run.
        ax : matplotlib Axes, optional
            Where to draw, for ``"laws"`` one a law; a new figure by default.

        Returns
        -------
        a display of discovery.displays

        Raises
        ------
        ValueError
            For another kind, for ``"laws"`` of a report without laws, and for pictures of runs of a
            report that keeps none; for axes that are none, or too many.
        """
        if kind not in ("spectrum", "laws", "portrait"):
            raise ValueError(
                f"kind is {kind!r}. Expected 'spectrum', 'laws' or 'portrait', and axes as ax=."
            )
        if kind == "spectrum":
            return SpectrumDisplay.from_report(self, ax=axes_of(ax)[0])
        if kind == "laws":
            return LawsDisplay.from_report(self, axes=None if ax is None else axes_of(ax, None))
        display = PortraitDisplay.of(self) or ProfilesDisplay.of(self)
        if display is None:
            raise ValueError("the report keeps no runs. Expected one that discovery has made.")
        return display.plot(axes_of(ax)[0])

    def motion(
        self, runs: Trajectories | None = None, *, model: keras.Model | None = None
    ) -> Motion | GuidedMotion:
        """Return the equations of motion that follow from the laws.

        An energy tells the motion of positions with velocities or momenta; elsewhere d − 1 laws of
        d coordinates tell its direction, and a speed is fitted. An energy that friction takes gives
        damped equations. Where there are fewer laws, a fitted model tells the motion, and the exact
        laws what it keeps: each of its steps is put back on their level set, the shortest way in
        its own metric.

        Parameters
        ----------
        runs : Trajectories, optional
            That the motion is judged on: by default those of the analysis, which a report that is
            loaded from a file does not have.
        model : keras.Model, optional
            That predicts the next state of such runs and has a metric, as `discover` takes it.

        Returns
        -------
        Motion, or GuidedMotion for a model
            Both have `rollout` and `forecast`.

        Raises
        ------
        ValueError
            Where the laws do not tell the motion, or it misses held-out runs by more than noise:
            what is missing is said. For a loaded report without runs, and for fields; for a model
            without a metric, of other coordinates, or beside a report without exact laws.
        """
        runs = self.runs if runs is None else checked(runs, self.names)
        if runs is None:
            raise ValueError(
                "the report was loaded from a file and holds no runs. Expected motion(runs)."
            )
        if are_fields(runs.roles):
            raise ValueError("these are fields. Expected runs of states with few coordinates.")
        if model is not None:
            laws, manifold = exact_laws(self.quantities), checked_manifold(model, runs)
            formulas = [law.formula for law in laws]
            return guided(manifold, Laws(laws), formulas, runs, dict(self.noise))
        lasting = [q for q in self.quantities if q.verdict in ("exact", "decaying")]
        closed, alike = (
            [q for q in some if not q.library.learned] for some in (lasting, self.identities)
        )
        return motion_from(closed, alike, runs, self.noise)

    def sample(
        self,
        n: int,
        *,
        like: ArrayLike | None = None,
        values: Mapping[Hashable, float] | None = None,
        runs: Trajectories | None = None,
        random_state: Seed = None,
    ) -> LevelSample:
        """Draw states at which laws have given values, from the level set's uniform law.

        That is the density δ(C − c) in the report's coordinates; for positions with velocities
        and an energy, δ(C − c) in positions and momenta: the microcanonical law, which the motion
        keeps. What all runs obey alike, the identities, the states obey too.

        Parameters
        ----------
        n : int
            Number of states.
        like : (d,) array-like, or mapping or row of a table with names, optional
            A state: all exact laws are to have the values that they have there.
        values : mapping from name, formula or number to value, optional
            ``{"energy": -0.5, 1: 0.8}``: laws by name, formula or position in `quantities`; the
            others are free. Parameters by name.
        runs : Trajectories, optional
            Runs in whose region the states are to lie; the report's by default.
        random_state : int or numpy.random.Generator, optional

        Returns
        -------
        LevelSample
            NumPy takes it as an (n, d) array; with `law_error`, `effective_size` and `refused`.

        Raises
        ------
        ValueError
            For neither or both of `like` and `values`, unknown names, values far from the data's,
            level sets that are empty, and reports without laws or runs.
        """
        known = self._runs(runs)
        return sample(
            self.quantities,
            known,
            n,
            like=like,
            values=values,
            identities=self.identities,
            random_state=random_state,
        )

    def distance(self, a: States, b: States, *, runs: Trajectories | None = None) -> LawDistance:
        """Return how far two pieces of runs are apart in what is conserved, in standard errors.

        Runs on one level set are alike, wherever on it they are.

        Parameters
        ----------
        a, b : (n, d) arrays, tables, or Trajectories of one run
            Measured states, with the noise of the report.
        runs : Trajectories, optional
            Runs that tell what the laws move by themselves; the report's by default.

        Returns
        -------
        LawDistance
            A number, with `rank`, `chance` and `alike`.

        Raises
        ------
        ValueError
            For other coordinates, several runs, and a report without laws or runs.
        """
        from discovery.levels.embedding import Means

        means = self._means if runs is None else Means(self, self._runs(runs))
        return means.distance(a, b)

    def embed(
        self, X: Trajectories | Sequence[States] | None = None, *, runs: Trajectories | None = None
    ) -> LawEmbedding:
        """Return a scikit-learn transformer from runs to points, fitted where runs are given.

        Distances of points are standard errors apart in what is conserved.

        Parameters
        ----------
        X : Trajectories, list of (n, d) arrays, or (runs, steps, d) array, optional
            Runs to fit it to: NumPy takes the answer as their points, (runs, rank).
        runs : Trajectories, optional
            Runs that tell what the laws move by themselves; the report's by default.

        Raises
        ------
        ValueError
            For a report without laws or runs, and for anything but runs.
        """
        from discovery.levels.embedding import LawEmbedding

        embedding = LawEmbedding(self, self._runs(runs))
        return embedding if X is None else embedding.fit(X)

    def compare(
        self, candidates: Mapping[str, str | sympy.Expr], *, runs: Trajectories | None = None
    ) -> dict[str, Comparison]:
        """Judge formulas of the user's own as the report's laws were judged.

        Parameters
        ----------
        candidates : mapping from name to formula
            ``{"mine": "u**2/2 - 1/r"}``: text or SymPy expressions in the coordinates; ``r`` is
            the distance from the origin where positions tell it. Nothing is run, no number is
            fitted.
        runs : Trajectories, optional
            Runs to judge them on; the report's by default.

        Returns
        -------
        dict from name to Comparison

        Raises
        ------
        ValueError
            For what is no formula of the coordinates, has no value on the runs or is a constant;
            for fewer than eight runs, and a report without runs.
        """
        laws = self.quantities, self.identities
        found = judged(candidates, *laws, self._runs(runs), self.noise)
        return {
            name: Comparison.of_judged(name, one, self.quantities) for name, one in found.items()
        }

    @cached_property
    def _means(self) -> Means:
        """Means of the laws over pieces of runs; the report's runs tell their errors."""
        from discovery.levels.embedding import Means

        return Means(self, self._runs(None))

    def _runs(self, runs: Trajectories | None) -> Trajectories:
        """Return runs that a user gave, or the report's."""
        runs = self.runs if runs is None else runs
        if runs is None:
            raise ValueError(
                "the report keeps no runs, as it was read from a file. Give runs=, Trajectories "
                f"of {', '.join(self.names)}."
            )
        if tuple(runs.names) != self.names:
            raise ValueError(
                f"the runs have coordinates {', '.join(runs.names)}, and the laws are of "
                f"{', '.join(self.names)}. Expected runs with these, in this order."
            )
        return runs

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            "title": self.title,
            "verdict": self.verdict,
            "reason": self.reason,
            "n_conserved": self.n_conserved,
            "confidence": self.confidence,
            "quantities": [q.to_dict() for q in self.quantities],
            "identities": [q.to_dict() for q in self.identities],
            "symmetries": list(self.symmetries),
            "spectrum": {name: values.tolist() for name, values in self.spectrum.items()},
            "resolution": self.resolution if np.isfinite(self.resolution) else None,
            "noise": dict(self.noise),
            "names": list(self.names),
            "searched": list(self.searched),
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the whole report to a file of JSON, from which `load` makes it again.

        Parameters
        ----------
        path : path to the file
            It is replaced whole, or not at all.

        Raises
        ------
        ValueError
            For a quantity whose terms cannot be stored as data; nothing is written then.
        OSError
            Where the file cannot be written.
        """
        file.write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read a report that `save` has written: the same, its quantities as functions too.

        Nothing in the file is run.

        Parameters
        ----------
        path : path to the file

        Raises
        ------
        ValueError
            For a file that is no report, a damaged one, or one of a newer version.
        OSError
            Where there is no such file.
        """
        return cls(**file.read(path))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a quantity."""
        import pandas as pd

        columns = {
            "name": [q.name for q in self.quantities],
            "expression": [spelled(q.expression) for q in self.quantities],
            "verdict": [q.verdict for q in self.quantities],
            "flatness": [q.flatness for q in self.quantities],
            "flatness_low": [q.flatness_interval[0] for q in self.quantities],
            "flatness_high": [q.flatness_interval[1] for q in self.quantities],
            "drift": [q.drift for q in self.quantities],
            "drift_high": [q.drift_interval[1] for q in self.quantities],
            "signal": [q.signal for q in self.quantities],
            "symmetry": [q.symmetry for q in self.quantities],
        }
        return pd.DataFrame(columns)


def _written(text: str, path: str | os.PathLike | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
