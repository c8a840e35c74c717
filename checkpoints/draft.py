"""The beginning of a manifest: what an ONNX file tells about itself. What it cannot tell is left as null."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checkpoints import onnx_file, store
from checkpoints.errors import ModelError
from checkpoints.manifest import Layout, Role
from checkpoints.onnx_file import Network, Value

Content = dict[str, Any]

_STRIDES = (8, 16, 32)
_CASCADE = ("pnet", "rnet", "onet")
# A null that stands for something: any size.
_MAY_BE_NULL = ("size_wh",)


def draft(path: Path, role: Role) -> Content:
    """In the form of a manifest; ModelError for a file that is not ONNX."""
    files = {"net": path} if role == "embedder" else _cascade(path) or {"net": path}
    networks = {part: read(file) for part, file in files.items()}
    family = None if role == "embedder" else _family(networks)
    entries = [_file(part, file, networks[part], family, role) for part, file in files.items()]
    content: Content = {"role": role}
    if role == "detector":
        content["family"] = family
    first = next(iter(networks.values()))
    content |= {"files": entries, "layout": _layout(_picture(first)), "colour": None, "mean": None, "scale": None}
    if role == "embedder":
        size_wh = entries[0]["size_wh"]
        dim = next((value.shape[-1] for value in first.outputs if len(value.shape) == 2), None)
        content["embedding_dim"] = dim if isinstance(dim, int) and dim > 0 else None
        content["crop"] = "arcface112" if size_wh == [112, 112] else None
        content["match_threshold"] = None
    return content


def open_points(content: Content, role: Role) -> list[str]:
    """The fields that somebody has to fill in, each with what is valid."""
    valid = {
        "family": "mtcnn, yunet, retinaface or scrfd",
        "layout": "NCHW or NHWC",
        "colour": "RGB or BGR",
        "mean": "a number or three; the net takes (value − mean) · scale, values 0…255",
        "scale": "a number or three",
        "embedding_dim": "how long an embedding is",
        "crop": "arcface112, or a name and a template of five points",
        "match_threshold": "cosine from which two faces are one person's",
    }
    points = [f"{key}: {meaning}" for key, meaning in valid.items() if key in content and content[key] is None]
    for entry in content["files"]:
        if entry["size_wh"] is None and role == "embedder":
            points.append("size_wh: [width, height]")
        if entry["input"] is None:
            points.append("input: the input that takes the picture")
        empty = [meaning for meaning, tensor in entry["outputs"].items() if tensor is None]
        if empty:
            points.append(f"the output tensors of {', '.join(empty)}")
    return points


def read(path: Path) -> Network:
    try:
        return onnx_file.read(path.read_bytes())
    except OSError as error:
        raise ModelError(f"The model file {path} cannot be read.", saw=str(error)) from error
    except ValueError as error:  # bytes that are no message, no text or no tensor
        raise ModelError(
            f"{path} cannot be read as an ONNX file.",
            saw=str(error),
            fix="It must be a whole ONNX file with its weights inside. Was it cut off on the way?",
        ) from error


def _cascade(path: Path) -> dict[str, Path]:
    """The three files of MTCNN, if this is one of them and the others lie beside it."""
    for mine in _CASCADE:
        if mine in path.name.lower():
            names = {one.name.lower(): one for one in path.parent.glob("*.onnx")}
            found = {part: names.get(path.name.lower().replace(mine, part)) for part in _CASCADE}
            there = {part: file for part, file in found.items() if file is not None}
            return there if len(there) == len(_CASCADE) else {}
    return {}


def _file(part: str, path: Path, network: Network, family: str | None, role: Role) -> Content:
    picture = _picture(network)
    return {
        "part": part,
        "name": path.name,
        "sha256": store.sha256_of(path),
        "size_wh": _size_wh(picture),
        "input": picture.name if picture else None,
        "outputs": {"embedding": _embedding(network)} if role == "embedder" else _outputs(part, network, family),
        **({"pairs": True} if any(node.op == "QuantizeLinear" for node in network.nodes) else {}),
    }


def _picture(network: Network) -> Value | None:
    """The input, which older files list together with the weights."""
    inputs = [value for value in network.inputs if value.name not in network.constants]
    return inputs[0] if len(inputs) == 1 else None


def _layout(picture: Value | None) -> Layout | None:
    if picture is not None and len(picture.shape) == 4:
        for layout, place in (("NCHW", 1), ("NHWC", 3)):
            if picture.shape[place] == 3:
                return layout  # type: ignore[return-value]
    return None


def _size_wh(picture: Value | None) -> list[int] | None:
    layout = _layout(picture)
    if picture is None or layout is None:
        return None
    height, width = picture.shape[2:] if layout == "NCHW" else picture.shape[1:3]
    known = isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0
    return [int(width), int(height)] if known else None


def _embedding(network: Network) -> str | None:
    flat = [value.name for value in network.outputs if len(value.shape) == 2]
    names = flat or [value.name for value in network.outputs]
    return names[0] if len(names) == 1 else None


def _family(networks: dict[str, Network]) -> str | None:
    if tuple(networks) == _CASCADE:
        return "mtcnn"
    return {3: "retinaface", 9: "scrfd", 12: "yunet"}.get(len(networks["net"].outputs))


def _outputs(part: str, network: Network, family: str | None) -> dict[str, str | None]:
    outputs = network.outputs
    if family == "mtcnn":
        faces = {"log_odds": 1} if any(value.shape[-1:] == (1,) for value in outputs) else {"scores": 2}
        kinds = faces | {"boxes": 4, **({"landmarks": 10} if part == "onet" else {})}
        return {meaning: _only(outputs, width, meaning) for meaning, width in kinds.items()}
    if family == "retinaface":
        return {meaning: _only(outputs, width, meaning) for meaning, width in (("loc", 4), ("conf", 2), ("landms", 10))}
    if family == "scrfd":
        return _by_stride(outputs, (("score", 1), ("bbox", 4), ("kps", 10)))
    if family == "yunet":
        return {
            f"{kind}_{stride}": _named(outputs, kind, stride)
            for kind in ("cls", "obj", "bbox", "kps")
            for stride in _STRIDES
        }
    return {value.name: value.name for value in outputs}


def _only(outputs: list[Value], width: int, meaning: str) -> str | None:
    """The one output of that width, or else of that name."""
    names = [value.name for value in outputs if value.shape and value.shape[-1] == width]
    names = names or [value.name for value in outputs if value.name.lower().startswith(meaning[:4])]
    return names[0] if len(names) == 1 else None


def _by_stride(outputs: list[Value], kinds: tuple[tuple[str, int], ...]) -> dict[str, str | None]:
    """Exports give each kind from the finest grid to the coarsest."""
    named: dict[str, str | None] = {}
    for kind, width in kinds:
        names: list[str | None] = [value.name for value in outputs if value.shape and value.shape[-1] == width]
        for place, stride in enumerate(_STRIDES):
            named[f"{kind}_{stride}"] = names[place] if len(names) == len(_STRIDES) else None
    return named


def _named(outputs: list[Value], kind: str, stride: int) -> str | None:
    name = f"{kind}_{stride}"
    return name if any(value.name == name for value in outputs) else None
