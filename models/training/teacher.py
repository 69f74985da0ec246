"""Descriptors of an ImageNet classifier for the plain view of the identities that it can know:
photographs and drawn things. They are computed once and kept beside the other caches."""
import pathlib

import cv2
import numpy as np

from sources import Crop, Drawn

MEAN, DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
SIDE, AT_ONCE = 224, 16


def prepared(picture):
    height, width = picture.shape[:2]
    method = cv2.INTER_AREA if max(height, width) > SIDE else cv2.INTER_LINEAR
    picture = cv2.resize(picture, (SIDE, SIDE), interpolation=method)[..., ::-1].astype(np.float32) / 255
    return ((picture - MEAN) / DEVIATION).transpose(2, 0, 1)


def key_of(thing):
    """Returns a stable key: the same thing keeps its row when further things are added."""
    return repr(("photo", thing.photo, thing.box) if isinstance(thing, Crop) else ("drawn", thing.files[0]))


def descriptors(sources, model, cache, threads=1):
    """Returns [identities, dims], minus the mean, unit length; zeros for identities without a
    teacher."""
    file = pathlib.Path(cache) / "teacher.npz"
    known = dict(np.load(file)) if file.exists() else {}
    rows = dict(zip(known.get("keys", []), known.get("values", [])))
    taught = [i for i, thing in enumerate(sources.things) if isinstance(thing, (Crop, Drawn))]
    keys = {i: key_of(sources.things[i]) for i in taught}
    missing = [i for i in taught if keys[i] not in rows]
    if missing:
        rows.update(zip((keys[i] for i in missing), describe([sources.things[i] for i in missing], sources, model, threads)))
        np.savez(file, keys=np.array(list(rows)), values=np.stack(list(rows.values())).astype(np.float32))
    values = np.stack([rows[keys[i]] for i in taught])
    values = values / np.linalg.norm(values, axis=1, keepdims=True)
    values = values - values.mean(0)
    result = np.zeros((len(sources.things), values.shape[1]), np.float32)
    result[taught] = values / np.linalg.norm(values, axis=1, keepdims=True)
    return result


def describe(things, sources, model, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    found = []
    for start in range(0, len(things), AT_ONCE):
        views = np.stack([prepared(thing.plain_view(sources)) for thing in things[start : start + AT_ONCE]])
        found.extend(session.run(None, {name: views})[0].reshape(len(views), -1))
        if start % (AT_ONCE * 64) == 0:
            print(f"teacher {start}/{len(things)}", flush=True)
    return found
