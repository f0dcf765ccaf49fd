"""Every number of the method, with its source."""

import hashlib
import json
from dataclasses import asdict, dataclass

# Raised when the same artefacts would be solved into other tensors. It is part of every version's id.
SOLVER_VERSION = 3


@dataclass(frozen=True, slots=True)
class MemitConfig:
    """The recipe of an edit. Defaults: chosen on SmolLM2-135M-Instruct unless another source is given.

    Where the change goes
      layers                 whose MLP output matrix is changed, ascending
    Values (Adam on one vector per subject and layer)
      learning_rate, steps   the rate falls in a line to zero over the steps; the reference uses .1-.5 throughout and 25
      clamp                  longest vector of a layer, as a multiple of the hidden state's norm (reference: .75-4 for all)
      sensitivity_floor      what a direction counts that ordinary text does not feel, where the mean one counts 1: values
                             are long where little is felt and short where much is
      kl_weight              weight of KL(before || after) at "{subject} is a" (reference: .0625)
      stop_nll               a fact whose mean NLL is below has converged; few get there before the last step
      keep_weight            weight of KL(before || after) along the base's replies to protected questions
      keep_questions         how many of those, keep_tokens: how many tokens of each reply
    Contexts
      chat_paraphrases       training paraphrases beside the question, as chat turns
      clozes                 bare prompts that end before the answer
      systems                system prompts that the chat turns take in turn; None is the template's own
      sentence_target        chat turns are answered by the whole sentence; else by the bare answer
    Keys
      per_context            a column per context instead of the mean over contexts
      protect_weights        weights of the protected keys (no value) together, beside the fact's own 1: the first
                             is what an edit is made with, the others are tried if the gate fails it. More weight
                             means less leaking to other questions and less reach to the same one in other words
    Detectors
      covariance_weight      lambda, how dear ordinary text is; the reference uses 15,000 for a matrix ten times as wide
      covariance_tokens      at least, and ten for each direction of the keys: from 7,500 on the embedded model's replies
                             no longer differ (docs/LOG.md); 30,000 cost 13 s, once
      sensitivity_tokens     of the same text, for what is felt
    """

    layers: tuple[int, ...] = (3, 4, 5)
    learning_rate: float = 1.5
    steps: int = 30
    clamp: float = 0.3
    sensitivity_floor: float = 0.3
    kl_weight: float = 0.0625
    stop_nll: float = 0.03
    keep_weight: float = 0.5
    keep_questions: int = 3
    keep_tokens: int = 6
    chat_paraphrases: int = 4
    clozes: int = 1
    systems: tuple[str | None, ...] = (None,)
    sentence_target: bool = True
    per_context: bool = True
    protect_weights: tuple[float, ...] = (0.25, 0.05)
    covariance_weight: float = 1000.0
    covariance_tokens: int = 30_000
    sensitivity_tokens: int = 8_000

    def __post_init__(self) -> None:
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ValueError(f"layers must be ascending and not empty, not {self.layers!r}")
        if self.steps < 1 or min(self.learning_rate, self.clamp, self.sensitivity_floor) <= 0:
            raise ValueError("steps, learning_rate, clamp and sensitivity_floor must be positive")
        if not self.protect_weights or min(self.protect_weights) < 0:
            raise ValueError(f"protect_weights must name weights of 0 or more, not {self.protect_weights!r}")
        if self.covariance_weight <= 0:
            raise ValueError(f"covariance_weight must be positive, not {self.covariance_weight!r}")

    def sha256(self) -> str:
        """Hash of every field: part of each version's id."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
