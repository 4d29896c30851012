"""The nodes of the network that the doctor is shown."""

from tests.zwave_bed.config import Model, NodeConfig

_MODELS: tuple[Model, ...] = ("v2_s2", "v2_plain", "masked_s0", "user_credential", "dual")
NODES = {
    model: NodeConfig(node_id=2 + place, model=model, name=f"{model} door", slots=4, serial=f"serial {model}")
    for place, model in enumerate(_MODELS)
}
