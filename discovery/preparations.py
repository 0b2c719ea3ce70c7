"""How runs become orbits: by their own smoothness, or by a manifold that is trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from discovery.criteria import LAWS, LIBRARIES
from discovery.data.frame import Frame
from discovery.data.trajectories import Trajectories
from discovery.estimation.iterates.sampling import Sampling
from discovery.estimation.manifold import FramedManifold, checked_manifold, train_manifold
from discovery.estimation.orbits import Orbits
from discovery.estimation.preparation import prepare, prepare_with
from discovery.estimation.uniform_noise import needs_manifold
from discovery.laws.learned.training import train_features
from discovery.laws.stage import Stage
from discovery.laws.stages import Learned
from discovery.libraries.functions import Functions

if TYPE_CHECKING:
    import keras


class Preparation(Protocol):
    """How runs become orbits, and what may be learned from these where no closed form is found.

    Attributes
    ----------
    sampling : Sampling
        How the samples of a run follow each other, as far as that is told.
    """

    sampling: Sampling

    @property
    def forms_velocities(self) -> bool:
        """Whether missing velocities are formed: a user's model is of the columns given."""

    def within(self, frame: Frame) -> Preparation:
        """Return the same for runs in a frame.

        Parameters
        ----------
        frame : Frame
        """

    def sampled(self, sampling: Sampling) -> Preparation:
        """Return the same for samples that follow each other so.

        Parameters
        ----------
        sampling : Sampling
        """

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits of all runs; of them only those in `fit` may train anything.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
        """

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return the stages to try where no closed form is conserved."""


@dataclass(frozen=True)
class WithoutModel:
    """The noise is read from the runs' smoothness, and paths are local polynomials.

    Attributes
    ----------
    sampling : Sampling
        How the samples of a run follow each other.
    forms_velocities : bool
        Whether velocities are formed where they are missing.
    """

    sampling: Sampling = Sampling.AUTO
    forms_velocities: bool = True

    def within(self, frame: Frame) -> WithoutModel:
        """Return itself: units do not matter.

        Parameters
        ----------
        frame : Frame
        """
        return self

    def sampled(self, sampling: Sampling) -> WithoutModel:
        """Return the same for samples that follow each other so.

        Parameters
        ----------
        sampling : Sampling
        """
        return replace(self, sampling=sampling)

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits; nothing is trained.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on; not used here.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
            Not used here.
        """
        return prepare(runs, noise, self.sampling)

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return nothing: features are learned beside a manifold only."""
        return []


@dataclass(frozen=True)
class WithManifold:
    """The metric of a fitted model is the noise's, and its flow smooths the runs.

    Attributes
    ----------
    model : keras.Model or None
        None to train the default manifold.
    verbose : bool
        Show the progress of training.
    frame : Frame or None
        Of the runs; a given model is of the user's coordinates.
    sampling : Sampling
        How the samples of a run follow each other. Off a path no manifold is trained.
    """

    model: keras.Model | None = None
    verbose: bool = True
    frame: Frame | None = None
    sampling: Sampling = Sampling.AUTO

    @property
    def forms_velocities(self) -> bool:
        """Whether no model was given, which would be of the columns as they are."""
        return self.model is None

    def within(self, frame: Frame) -> WithManifold:
        """Return the same for runs in a frame.

        Parameters
        ----------
        frame : Frame
        """
        return replace(self, frame=frame)

    def sampled(self, sampling: Sampling) -> WithManifold:
        """Return the same for samples that follow each other so.

        Parameters
        ----------
        sampling : Sampling
        """
        return replace(self, sampling=sampling)

    def orbits(
        self,
        runs: Trajectories,
        fit: np.ndarray,
        noise: np.ndarray | None,
        rng: np.random.Generator,
    ) -> Orbits:
        """Return the orbits in the manifold's metric, or without one that would add nothing.

        Parameters
        ----------
        runs : Trajectories
        fit : array of int
            Runs that formulas are found on, and the manifold is trained on.
        noise : (d,) array or None
            Known standard deviations of the coordinates' noise.
        rng : numpy.random.Generator
            Seeds the training.
        """
        model = self.model
        if runs.formed is not None or (model is None and runs.n_runs < LAWS.min_runs):
            # The errors are known; or, whatever is trained, there will be no verdict.
            return prepare(runs, noise, self.sampling)
        if model is None and self.sampling in (Sampling.MAP, Sampling.CLOUD):
            return prepare(runs, noise, self.sampling)
        if model is None and (runs.dim > LIBRARIES.wide or not needs_manifold(runs, noise)):
            return prepare(runs, noise, self.sampling)
        if model is None:
            seed = int(rng.integers(2**31))
            model = train_manifold(runs[fit], seed=seed, verbose=self.verbose)
        manifold = checked_manifold(model, runs)
        if self.model is not None and self.frame is not None and not self.frame.is_identity:
            manifold = FramedManifold(manifold, self.frame)
        return prepare_with(runs, manifold, noise, self.sampling)

    def learned(self, runs: Trajectories, rng: np.random.Generator) -> list[Stage]:
        """Return features of a network, trained when they are asked for; of few columns."""
        if runs.dim > LIBRARIES.wide:
            return []

        def train(fit: Orbits) -> Functions:
            return train_features(fit, runs.names, runs.roles, rng, verbose=self.verbose)

        return [Learned(train)]
