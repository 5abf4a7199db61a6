"""A LoRA adapter into the weights. Apart from `converting`, so that CTranslate2 need not be there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import ModelNotReady


def merged(model: Any, adapter: Path) -> Any:
    """Raises ModelNotReady where the adapter does not fit."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ModelNotReady(
            str(adapter), f"the adapter does not fit the model ({error})"
        ) from error
