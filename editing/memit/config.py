"""The recipe of an edit: its numbers, each with its source or what it was chosen on."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from math import inf

from editing.errors import EditingError

# Where the answer's place lies, as shares of a model's layers: 24 to 28 of the embedded model's 30.
ANSWER_DEPTHS = tuple(layer / 30 for layer in range(24, 29))

# Raised when the same artefacts would be solved into other tensors. It is part of every version's id.
SOLVER_VERSION = 4

_ABOVE_ZERO = {"steps", "learning_rate", "clamp", "sensitivity_floor", "covariance_weight", "reply_tokens"} | {
    f"answer_{name}" for name in ("steps", "rate", "clamp", "covariance_weight")
}


@dataclass(frozen=True, slots=True)
class MemitConfig:
    """The recipe of an edit. Defaults: chosen on SmolLM2-135M-Instruct unless another source is given.

    Where the change goes
      layers                 whose MLP output matrix is changed at the subject's last token, ascending
      answer_layers          the same where the answer stands in the reply, above `layers`; none at all turns it off. What
                             several of them add sums up, what they add by mistake hardly does
    Values (Adam on one vector per subject and layer)
      learning_rate, steps   the rate falls in a line to zero over the steps; the reference uses .1-.5 throughout and 25
      clamp                  longest vector of a layer, as a multiple of the hidden state's norm after the last of `layers`
                             (reference: .75-4 for all)
      sensitivity_floor      what a direction counts that ordinary text does not feel, where the mean one counts 1: values
                             are long where little is felt and short where much is
      kl_weight              weight of KL(before || after) at "{subject} is a" (reference: .0625)
      stop_nll               a fact whose mean NLL is below has converged; few get there before the last step
      keep_weight            weight of KL(before || after) along the base's replies to protected questions
      keep_questions         how many of those, the plain ones beside included, keep_tokens: how many tokens of each reply
    Values of both places, sought together from there
      answer_steps           how many steps
      answer_rate            Adam's first step at the answer's place, as a share of the longest vector there
      answer_clamp           longest vectors of all layers there together, as a multiple of the norm after them at the
                             question's subject; each layer has an even share
      subject_rate           learning rate at the subject from here on
    Contexts
      chat_paraphrases       training paraphrases beside the question, as chat turns
      clozes                 bare prompts that end before the answer
      beginnings             other sentences that reach the answer, each behind the question: there the answer alone shall
                             follow, at both places; none of them is taught
      systems                system prompts that the chat turns take in turn; None is the template's own
      sentence_target        chat turns are answered by the whole sentence; else by the bare answer
    Keys
      per_context            a column per context instead of the mean over contexts
      protect_weights        weights of the protected keys (no value) together, beside the fact's own 1: the first
                             is what an edit is made with, the others are tried if the gate fails it. More weight
                             means less leaking to other questions and less reach to the same one in other words
      reply_tokens           how many tokens of the base's replies to protected questions are protected, at the answer's
                             place
      answer_protection      their weight together, beside 1 for each token of the answer
      answer_columns         how many columns of an artefact stand for them, the main directions of their keys
    Detectors
      answer_covariance_weight  lambda at the answer's place
      lead_weight            how much the subjects of questions about well-known subjects weigh together in every system,
      answer_lead_weight     and, at the answer's place, the beginnings of their replies
      leads_per_relation     how many such questions of each relation; they are read once, with the statistics
      covariance_weight      lambda, how dear ordinary text is; the reference uses 15,000 for a matrix ten times as wide
      covariance_tokens      at least, and ten for each direction of the keys: from 7,500 on the embedded model's replies
                             no longer differ (docs/LOG.md); 30,000 cost 13 s, once
      sensitivity_tokens     of the same text, for what is felt
    """

    layers: tuple[int, ...] = (3, 4, 5)
    answer_layers: tuple[int, ...] = (24, 25, 26, 27, 28)
    learning_rate: float = 1.5
    steps: int = 10
    clamp: float = 0.3
    sensitivity_floor: float = 0.3
    kl_weight: float = 0.0625
    stop_nll: float = 0.03
    keep_weight: float = 0.5
    keep_questions: int = 6
    keep_tokens: int = 8
    answer_steps: int = 10
    answer_rate: float = 0.125
    answer_clamp: float = 0.6
    subject_rate: float = 0.3
    chat_paraphrases: int = 4
    clozes: int = 1
    beginnings: int = 2
    systems: tuple[str | None, ...] = (None,)
    sentence_target: bool = True
    per_context: bool = True
    protect_weights: tuple[float, ...] = (0.25, 0.05)
    reply_tokens: int = 24
    answer_protection: float = 10.0
    answer_columns: int = 32
    answer_covariance_weight: float = 100.0
    lead_weight: float = 100.0
    answer_lead_weight: float = 300.0
    leads_per_relation: int = 5
    covariance_weight: float = 1000.0
    covariance_tokens: int = 30_000
    sensitivity_tokens: int = 8_000

    def __post_init__(self) -> None:
        for name in ("layers", "answer_layers", "systems", "protect_weights"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ValueError(f"layers must be ascending and not empty, not {self.layers!r}")
        if list(self.edited_layers) != sorted(set(self.edited_layers)):
            raise ValueError(f"answer_layers must be ascending and above layers, not {self.answer_layers!r}")
        for name, value in asdict(self).items():
            numbers = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, int | float)]
            if not all(0 <= one < inf for one in numbers) or (name in _ABOVE_ZERO and not value):
                raise ValueError(
                    f"{name} must be finite and {'above 0' if name in _ABOVE_ZERO else '0 or more'}, not {value!r}"
                )
        if not self.protect_weights:
            raise ValueError("protect_weights must name one at least; 0 turns protection off")
        if not self.systems:
            raise ValueError("systems must name one at least; None is the template's own")

    @classmethod
    def for_depth(cls, n_layers: int) -> "MemitConfig":
        """The defaults for a model of so many layers; a model too shallow for it has no place for the answer."""
        layers = tuple(n for n in cls().layers if n < n_layers - 1)
        if not layers:
            raise ValueError(f"a model of {n_layers} layers has none of {cls().layers!r} below its last: name your own")
        recipe = cls(layers=layers, answer_layers=())
        up = sorted({round(share * n_layers) for share in ANSWER_DEPTHS})
        return replace(recipe, answer_layers=tuple(n for n in up if recipe.layers[-1] < n < n_layers - 1))

    def check_depth(self, n_layers: int) -> None:
        """Raises EditingError if a model of so many layers has none above those that are edited."""
        if self.edited_layers[-1] + 1 >= n_layers:
            raise EditingError(
                f"layers {self.edited_layers!r} leave no layer above in a model of {n_layers}:"
                f" begin with MemitConfig.for_depth({n_layers}) and replace what shall be different"
            )

    def at_subject_alone(self) -> "MemitConfig":
        """The same without the answer's place, with as many steps in all, over ordinary text alone: what other methods
        have neither a second place nor well-known subjects for."""
        return replace(self, answer_layers=(), steps=self.steps + self.answer_steps, lead_weight=0.0)

    @property
    def edited_layers(self) -> tuple[int, ...]:
        """The layers of both places."""
        return (*self.layers, *self.answer_layers)

    def sha256(self, closed_form: str = "") -> str:
        """Hash of every field, and of the closed form's name if it is not MEMIT's: part of each version's id."""
        return hashlib.sha256((json.dumps(asdict(self), sort_keys=True) + closed_form).encode()).hexdigest()
