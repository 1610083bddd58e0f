"""The names of the published slot module, which two systems contain under different prefixes."""

from variants.published.names import Shapes

ATTENTION = {
    "mu": "slots_mu",
    "log_sigma": "slots_log_sigma",
    "norm_tokens": "norm_inputs",
    "norm_slots": "norm_slots",
    "norm_mlp": "norm_mlp",
    "query": "project_q",
    "key": "project_k",
    "value": "project_v",
    "gru": "gru",
    "hidden": "mlp.0",
    "output": "mlp.2",
}


def slot_parameters(shapes: Shapes, prefix: str) -> dict[str, object]:
    """Slot size, encoder channels and hidden layer; the number of slots leaves no trace in the module."""
    return {
        "slot_size": shapes[f"{prefix}slot_attention.slots_mu"][-1],
        "encoder": tuple(shapes[f"{prefix}encoder.{layer}.0.weight"][0] for layer in range(4)),
        "mlp_hidden": shapes[f"{prefix}slot_attention.mlp.0.weight"][0],
    }


def slot_modules(prefix: str, decoder_prefix: str) -> dict[str, str]:
    """The modules of the slot head; those of its decoder have a prefix of their own."""
    modules = {
        f"head.attention.{ours}": f"{prefix}slot_attention.{theirs}" for ours, theirs in ATTENTION.items()
    }
    for layer in range(4):
        modules[f"head.encoder.{layer}"] = f"{prefix}encoder.{layer}.0"
        modules[f"head.decoder.ups.{layer}"] = f"{decoder_prefix}decoder.{layer}.0"
    return modules | {
        "head.tokens.position": f"{prefix}encoder_pos_embedding.dense",
        "head.tokens.first": f"{prefix}encoder_out_layer.0",
        "head.tokens.second": f"{prefix}encoder_out_layer.2",
        "head.decoder.position": f"{decoder_prefix}decoder_pos_embedding.dense",
        "head.decoder.full": f"{decoder_prefix}decoder.4.0",
        "head.decoder.colours_and_alpha": f"{decoder_prefix}decoder.4.2",
    }
