"""A basis of simple laws: the energy instead of sums of cubes."""

import numpy as np
import sympy

from discovery.criteria import LAWS
