"""Which files of tests go to one process of a run: those that need the same costly thing.

A process that loads a model library, or Korean morphemes, does so once for all of them, and the
others are spared it. The groups are about as long as what is left to another process meanwhile.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# torch and transformers, 6 s; with what trains besides, 10 s
ENGINES = """
contract/test_encoders contract/test_engines integration/test_doctor integration/test_engine_ct2
integration/test_engine_encoder integration/test_engine_fusing integration/test_engine_gguf
integration/test_engine_gptq integration/test_engine_openai integration/test_engine_recording
integration/test_engine_rowbatch integration/test_quantize
"""
TRAINING = """
integration/test_cross_training integration/test_engine_preparing
integration/test_engine_preparing_encoder integration/test_entailment integration/test_sweep
integration/test_training_way unit/test_ranking unit/test_tagger
"""
GROUPS = {
    f"tests/{file}.py": group
    for group, files in {"engines": ENGINES, "training": TRAINING}.items()
    for file in files.split()
}


class Together(LoadScopeScheduling):  # type: ignore[misc] # untyped
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return GROUPS.get(file, file)
