"""Runs the script of a peer as it is and writes down what boxes its detector gave.

    python peer_boxes.py facenet-pytorch|opencv OUT.json SCRIPT ARGUMENTS…

It is run as a file by the Python that has the peer's packages, which has none of this project's.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

Seen = list[list[list[float]]]


def load_script(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("peer_script", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["peer_script"] = module
    spec.loader.exec_module(module)
    return module


def listen_to_facenet_pytorch(script: ModuleType, seen: Seen) -> None:
    # The script gives facenet-pytorch what it needs of torchvision where that is missing.
    getattr(script, "stand_in_for_torchvision", lambda: None)()
    mtcnn: Any = importlib.import_module("facenet_pytorch").MTCNN
    detect = mtcnn.detect

    def heard(self: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        result = detect(self, *args, **more)
        seen.append([] if result[0] is None else [[float(v) for v in box[:4]] for box in result[0]])
        return result

    mtcnn.detect = heard


def listen_to_opencv(_: ModuleType, seen: Seen) -> None:
    cv2: Any = importlib.import_module("cv2")
    create = cv2.FaceDetectorYN.create

    class Heard:
        def __init__(self, *args: Any) -> None:  # noqa: ANN401
            self._detector = create(*args)

        def detect(self, image: Any) -> Any:  # noqa: ANN401
            result = self._detector.detect(image)
            rows = [] if result[1] is None else [[float(v) for v in row[:4]] for row in result[1]]
            seen.append([[x, y, x + width, y + height] for x, y, width, height in rows])
            return result

    cv2.FaceDetectorYN = SimpleNamespace(create=Heard)


LISTEN = {"facenet-pytorch": listen_to_facenet_pytorch, "opencv": listen_to_opencv}


def main() -> None:
    peer, out, path, *arguments = sys.argv[1:]
    sys.path[0] = str(Path(path).resolve().parent)  # as if the script had been started, and not this file
    script, seen = load_script(path), []  # type: tuple[ModuleType, Seen]
    LISTEN[peer](script, seen)
    sys.argv = [path, *arguments]
    script.main()
    Path(out).write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    main()
