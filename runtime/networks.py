"""A package's manifest and weights become the network that made them."""

from typing import Any

from runtime.errors import PackageError
from runtime.package import WEIGHTS_NAME, Package
from stylenet.adain import AdaIN
from stylenet.config import NetworkConfig
from stylenet.errors import StylenetError
from stylenet.network import StyleNetwork, load_state
from stylenet.weights import read_safetensors

Network = StyleNetwork | AdaIN
"""What a package may hold."""


def build_network(variant: str, config: dict[str, Any]) -> Network:
    """An untrained network of a package's kind.

    Raises:
        ConfigError: the configuration does not describe one.
    """
    if variant == "adain":
        return AdaIN(tuple(config["widths"]), config.get("vgg_source"))
    return StyleNetwork(NetworkConfig.from_dict(config))


def load_network(package: Package) -> Network:
    """The package's network with its weights, frozen, ready to paint.

    Raises:
        PackageError: configuration and weights do not fit each other.
    """
    try:
        network = build_network(package.manifest.variant, package.manifest.config)
        path = package.path(WEIGHTS_NAME)
        load_state(network, read_safetensors(path.read_bytes(), str(path)), str(path))
    except (StylenetError, KeyError, TypeError) as error:
        raise PackageError(f"{package.folder}: {error}") from error
    return network.eval().requires_grad_(False)


def network_config(network: Network) -> dict[str, Any]:
    """What `build_network` needs to build this network again."""
    if isinstance(network, AdaIN):
        source = {} if network.vgg_source is None else {"vgg_source": network.vgg_source}
        return {"widths": list(network.widths)} | source
    return network.config.as_dict()
