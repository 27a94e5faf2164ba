"""One checkpoint behind OpenAI's protocol: ``python -m trainer.rlhf.serve CHECKPOINT``."""
