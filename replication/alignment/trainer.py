"""trl's DPO trainer with the objectives of this family.

Data comes as token ids (`collating.dataset`). The reference's per-token log-probabilities are read from
columns `ref_chosen` and `ref_rejected` where they are there, so that a step needs no reference model; TDPO,
which needs whole distributions, takes a reference model, or the policy with its adapter off. Logged
log-probabilities and rewards are those of the responses, never weighted, averaged over the training batches
since the last line: for curves use `watching`, which measures a fixed set.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer
from trl.trainer.utils import use_adapter

from replication.alignment.collating import EXTRA, IDS, REFERENCES, WEIGHTS, Collator
from replication.alignment.dpo import implicit_rewards
from replication.alignment.heads import (
    add_response_head,
    causal_lm,
    forward,
    frozen,
    labels_of,
    remove_heads,
    spread,
)
from replication.alignment.objectives import Objective, Scored
from replication.alignment.preferences import IGNORED, forward_kl, halves
from replication.lm.training import CPU_ARGUMENTS, quiet_libraries
from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset


def cpu_args(output_dir: Path | str, **overrides: Any) -> DPOConfig:
    """Return arguments for small trainings on a CPU: float32, nothing reported, shown, saved or cut off.

    Args:
        output_dir: where the trainer may write.
        **overrides: any other arguments.
    """
    plain = {"activation_checkpointing": False, "max_length": None}
    return DPOConfig(output_dir=str(output_dir), **CPU_ARGUMENTS | plain | overrides)


class PreferenceTrainer(DPOTrainer):
    """Trains a policy on preference pairs by one of the objectives.

    Columns of the data: `prompt_ids`, `chosen_ids`, `rejected_ids`; `rejected_weights` where the objective is
    weighted; `ref_chosen` and `ref_rejected`, the reference's log-probability of each token, where no
    reference model is to run. Each log line has trl's `loss`, `logps/*` and `rewards/*`; entropies and
    accuracies of tokens are left out, they would cost as much as the loss.

    Args:
        *args: as of `trl.DPOTrainer`.
        objective: what is learnt.
        **kwargs: as of `trl.DPOTrainer`; `args` may not cut texts (`max_length`) that the data has.

    Raises:
        InputError: columns that are missing or do not fit the ids, text columns alone, texts that would be
            cut off, no reference where the objective needs one, or options of trl that would be ignored.
    """

    def __init__(self, *args: Any, objective: Objective, **kwargs: Any) -> None:
        self.objective = objective
        config = kwargs["args"] if "args" in kwargs else args[2]
        self._check_options(config)
        data = kwargs.get("train_dataset")
        if data is not None:
            self._check_columns(data, kwargs.get("ref_model"), kwargs.get("peft_config"))
        # trl makes a reference model of its own unless log-probabilities are stored; ours are, or not needed.
        config.precompute_ref_log_probs = (
            kwargs.get("ref_model") is None and kwargs.get("peft_config") is None
        )
        tokenizer = kwargs["processing_class"]
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        kwargs.setdefault("data_collator", Collator(pad_token_id=pad, max_length=config.max_length))
        with quiet_libraries():
            super().__init__(*args, **kwargs)
        self.precompute_ref_logps = False  # would forbid evaluation of other data
        self.remove_callback(PrinterCallback)  # the log is in `state.log_history`
        for model in filter(None, (self.model, self.ref_model)):
            remove_heads(causal_lm(model))
            add_response_head(causal_lm(model))

    @staticmethod
    def _check_options(config: DPOConfig) -> None:
        """Raise `InputError` for options of trl that the objectives would silently ignore."""
        plain = {"loss_type": ["sigmoid"], "loss_weights": None, "ld_alpha": None, "use_weighting": False,
                 "f_divergence_type": "reverse_kl", "sync_ref_model": False,
                 "label_smoothing": 0.0}  # fmt: skip
        changed = [name for name, value in plain.items() if getattr(config, name) != value]
        if changed:
            raise InputError(f"The objective takes the place of trl's {', '.join(changed)}: leave these out.")

    def _check_columns(self, data: "Dataset", reference: Any, adapter: Any) -> None:
        """Raise `InputError` for columns that the objective needs and the data lacks."""
        columns, objective = data.column_names, self.objective
        if missing := [name for name in IDS if name not in columns]:
            raise InputError(f"The data has no column {', '.join(missing)}: give token ids (`dataset`).")
        if objective.weighted and WEIGHTS not in columns:
            raise InputError(
                f"{objective.method} needs the column {WEIGHTS}: score the rejected tokens first."
            )
        online = reference is not None or adapter is not None
        stored = all(name in columns for name in REFERENCES)
        if objective.needs_distribution and not online:
            raise InputError(f"{objective.method} needs whole distributions: give a ref_model or an adapter.")
        if objective.needs_reference and not stored and not online:
            raise InputError(
                f"{objective.method} needs a reference: give the columns {' and '.join(REFERENCES)}, a "
                "ref_model or an adapter."
            )

    def _prepare_dataset(
        self, dataset: "Dataset", processing_class: Any, args: Any, dataset_name: str
    ) -> Any:
        """Return the data as it is: ids are not made text and tokenised again."""
        if args.max_length is not None:
            long = sum(
                len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
                > args.max_length
                for row in dataset.select_columns(list(IDS))
            )
            if long:
                raise InputError(
                    f"{long} of {len(dataset)} pairs have more than {args.max_length} tokens: leave them "
                    "out, or raise max_length; cut off, weights and answers would be lost."
                )
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        """Keep the columns of weights and reference, which trl would drop."""
        super()._set_signature_columns_if_needed()
        self._signature_columns += [name for name in EXTRA if name not in self._signature_columns]

    def _precompute_ref_logps(self, dataset: "Dataset", name: str, batch_size: int) -> "Dataset":
        """Return the data as it is: trl would keep sums in a cache that knows nothing of weights."""
        return dataset

    def _compute_loss(self, model: Any, inputs: dict[str, Tensor], return_outputs: bool) -> Any:
        """Return the mean loss of a batch of pairs, and note what is logged."""
        ids, labels = inputs["input_ids"], labels_of(inputs)
        learns_chosen = self.objective.method == "sft"
        if learns_chosen:
            ids, labels = halves(ids)[0], halves(labels)[0]
        distribution = self.objective.needs_distribution
        policy, logits = forward(model, ids, labels, distribution)
        mask = labels[:, 1:] != IGNORED
        reference, kl = None, None
        if self.objective.needs_reference:
            reference, reference_logits = self._reference(inputs, ids, labels)
            kl = spread(forward_kl(reference_logits, logits), mask) if distribution else None
        batch = Scored(policy, mask, reference, inputs.get("token_weights"), kl)
        loss = self.objective.loss(batch).mean()
        self._note("train" if self.model.training else "eval", batch)
        return (loss, {"loss": loss}) if return_outputs else loss

    def _reference(
        self, inputs: dict[str, Tensor], ids: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return the reference's log-probabilities (2B, T), and its logits where they are needed."""
        distribution = self.objective.needs_distribution
        if "token_reference" in inputs and not distribution:
            return inputs["token_reference"], None
        if self.ref_model is not None:
            return frozen(self.ref_model, ids, labels, distribution)
        inner = self.accelerator.unwrap_model(self.model)
        off = use_adapter(inner, adapter_name=None) if hasattr(inner, "peft_config") else nullcontext()
        with off:
            return frozen(self.model, ids, labels, distribution)

    @torch.no_grad()
    def _note(self, mode: str, batch: Scored) -> None:
        """Keep the batch's unweighted log-probabilities and rewards, as tensors until they are logged."""
        notes = self._metrics[mode]
        sums = batch.policy.detach().sum(-1)
        if batch.reference is None:
            notes["logps/chosen"].append(sums.mean())
            return
        chosen, rejected = halves(sums)
        rewards = halves(implicit_rewards(sums - batch.reference.sum(-1), self.objective.beta))
        found = {
            "logps/chosen": chosen,
            "logps/rejected": rejected,
            "rewards/chosen": rewards[0],
            "rewards/rejected": rewards[1],
            "rewards/margins": rewards[0] - rewards[1],
            "rewards/accuracies": (rewards[0] > rewards[1]).float(),
        }
        if batch.kl is not None:
            found |= dict(zip(("kl/chosen", "kl/rejected"), halves(batch.kl.detach().sum(-1)), strict=True))
        for name, values in found.items():
            notes[name].append(values.mean())

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log what trl logs; averages over processes are taken here, once a line."""
        for notes in self._metrics.values():
            for name, values in notes.items():
                mean = torch.stack([torch.as_tensor(value, dtype=torch.float32) for value in values]).mean()
                notes[name] = [self.accelerator.reduce(mean.to(self.accelerator.device), "mean").item()]
        super().log(logs, *args, **kwargs)
