"""Every number of the method, with its source."""

import hashlib
import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import exp, log

# Raised when the same artefacts would be solved into other tensors. It is part of every version's id.
SOLVER_VERSION = 1


@dataclass(frozen=True, slots=True)
class MemitConfig:
    """The recipe of an edit. Defaults: chosen on SmolLM2-135M-Instruct unless another source is given.

    Where the change goes
      layers                 whose MLP output matrix is changed, ascending; the target state belongs to the last
    Target state (Adam on one vector per subject, MEMIT section 4.2)
      learning_rate, steps   the reference uses .1-.5 and 25; .1 hardly moves a small model
      clamp                  longest vector, as a multiple of the hidden state's norm (reference: .75-4)
      kl_weight              weight of KL(before || after) at "{subject} is a" (reference: .0625)
      weight_decay           per squared relative length (reference: .5; none here)
      stop_nll               a fact whose mean NLL is below has converged
      keep_weight            weight of KL(before || after) along the base's replies to other questions on the subject
      keep_questions         how many of those, keep_tokens: how many tokens of each reply
    Contexts
      chat_paraphrases       training paraphrases beside the question, as chat turns
      clozes                 bare prompts that end before the answer
      systems                system prompts that the chat turns take in turn; None is the template's own
      sentence_target        chat turns are answered by the whole sentence; else by the bare answer
    Keys
      per_context            a column per context instead of the mean over contexts
      protect_weights        weights of the protected keys (zero residual) together, beside the fact's own 1: the first
                             is what an edit is made with, the others are tried if the gate fails it. More weight
                             means less leaking to other questions and less reach to the same one in other words
    Solve
      covariance_weight      lambda by number of facts, interpolated in log-log: more facts need dearer ordinary text
      covariance_tokens      30,000 are enough: 7,500 are too few, 90,000 no better
    """

    layers: tuple[int, ...] = (3, 4, 5)
    learning_rate: float = 1.5
    steps: int = 22
    clamp: float = 1.5
    kl_weight: float = 0.0625
    weight_decay: float = 0.0
    stop_nll: float = 0.03
    keep_weight: float = 0.0
    keep_questions: int = 2
    keep_tokens: int = 8
    chat_paraphrases: int = 4
    clozes: int = 1
    systems: tuple[str | None, ...] = (None,)
    sentence_target: bool = True
    per_context: bool = True
    protect_weights: tuple[float, ...] = (0.25, 0.05)
    covariance_weight: tuple[tuple[int, float], ...] = ((1, 300.0), (10, 1000.0), (50, 1000.0))
    covariance_tokens: int = 30_000

    def __post_init__(self) -> None:
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ValueError(f"layers must be ascending and not empty, not {self.layers!r}")
        if self.steps < 1 or self.learning_rate <= 0 or self.clamp <= 0:
            raise ValueError("steps, learning_rate and clamp must be positive")
        if not self.protect_weights or min(self.protect_weights) < 0:
            raise ValueError(f"protect_weights must name weights of 0 or more, not {self.protect_weights!r}")
        if not self.covariance_weight or any(n < 1 or weight <= 0 for n, weight in self.covariance_weight):
            raise ValueError("covariance_weight must list (number of facts, weight) pairs, both positive")

    def weight_for(self, n_facts: int) -> float:
        """Lambda for a solve of `n_facts` facts: log-log between the listed points, the last slope goes on beyond."""
        points = sorted(self.covariance_weight)
        if len(points) == 1 or n_facts <= points[0][0]:
            return points[0][1]
        below, above = next(
            (pair for pair in pairwise(points) if n_facts <= pair[1][0]),
            (points[-2], points[-1]),
        )
        slope = (log(above[1]) - log(below[1])) / (log(above[0]) - log(below[0]))
        return exp(log(below[1]) + slope * (log(n_facts) - log(below[0])))

    def sha256(self) -> str:
        """Hash of every field: part of each version's id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
