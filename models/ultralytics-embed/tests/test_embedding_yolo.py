import numpy as np
import onnxruntime
import pytest
import torch
from conftest import SIZE, noise_picture
from PIL import Image

from ultralytics_embed import EmbeddingYOLO
from ultralytics_embed.letterbox import letterbox, place_picture, resampling


def run_exported(path, pictures, *, confidence=0.25, iou=0.6, most=5, rois=()):
    """Runs the exported file in onnxruntime, with Likeness's inputs."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {
        "images": np.stack([letterbox(picture, SIZE)[0] for picture in pictures]),
        "confidence": np.array([confidence], np.float32), "iou": np.array([iou], np.float32), "max_detections": np.array([most]),
        "class_offset": np.zeros(4, np.float32), "extra_rois": np.array([roi for _, roi in rois], np.float32).reshape(-1, 4),
        "extra_batch": np.array([batch for batch, _ in rois], np.int64),
    }
    names = [output.name for output in session.get_outputs()]
    assert names == ["boxes", "scores", "classes", "batch", "raw"]
    return dict(zip(names, session.run(None, feeds)))


def cosine(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_an_export_gives_the_boxes_and_vectors_of_the_model_for_any_batch(yolo, tmp_path):
    model = EmbeddingYOLO(yolo, SIZE)
    path = model.export(tmp_path / "embed.onnx")
    pictures = [noise_picture(seed=1), noise_picture(240, 240, seed=2), noise_picture(100, 320, seed=3)]
    places = [place_picture(picture.shape[1], picture.shape[0], SIZE) for picture in pictures]
    # An end-to-end head needs no suppression.
    iou = 1 if model.detector.is_end_to_end else 0.6
    seen = run_exported(path, pictures, iou=iou, rois=[(i, place.whole()) for i, place in enumerate(places)])
    found = len(seen["boxes"])
    for i, picture in enumerate(pictures):
        wanted = model.embed_objects(picture)
        assert len(wanted.boxes) > 0
        own = np.flatnonzero(seen["batch"][:found] == i)
        own = own[np.argsort(-seen["scores"][own], kind="stable")]
        boxes = places[i].to_picture(seen["boxes"][own], picture.shape[1], picture.shape[0])
        assert np.abs(boxes - wanted.boxes).max() < 0.5
        assert np.abs(seen["scores"][own] - wanted.scores).max() < 2e-3
        assert (seen["classes"][own] == wanted.classes).all()
        assert cosine(seen["raw"][own], wanted.raw).min() > 0.999
        assert cosine(seen["raw"][found + i], wanted.whole) > 0.999


def test_exporting_leaves_the_model_as_it_was(yolo, tmp_path):
    model = EmbeddingYOLO(yolo, SIZE)
    before = model.embed_objects(noise_picture())
    model.export(tmp_path / "embed.onnx")
    after = model.embed_objects(noise_picture())
    assert (before.raw == after.raw).all() and (before.boxes == after.boxes).all()
    with pytest.raises(ValueError, match="opset 15"):
        model.export(tmp_path / "old.onnx", opset=15)


def test_given_boxes_get_vectors_and_a_box_of_the_whole_picture_is_the_whole_picture(yolo):
    model = EmbeddingYOLO(yolo, SIZE)
    seen = model.embed_objects(noise_picture(), [[0, 0, 300, 200], [10, 20, 150, 160]], max_detections=2)
    assert seen.raw.shape == (2, model.raw_dim) and seen.extra.shape == (2, model.raw_dim)
    assert np.allclose(seen.extra[0], seen.whole, atol=1e-5)
    assert cosine(seen.extra[0], seen.extra[1]) < 0.9999
    # Each map's part has unit length.
    assert np.allclose(np.linalg.norm(seen.extra, axis=1), np.sqrt(2), atol=1e-4)
    assert model.embed_objects(noise_picture(), confidence=1.0).raw.shape == (0, model.raw_dim)


def test_gradients_of_vectors_reach_the_backbone(yolo):
    model = EmbeddingYOLO(yolo, SIZE)
    raw = model.detector.raw_vectors(torch.rand(2, 3, SIZE, SIZE), torch.tensor([[0.0, 0, 200, 200], [50, 50, 300, 300]]), torch.tensor([0, 1]))
    raw[:, ::7].sum().backward()
    first = yolo.model.model[0].conv.weight
    assert first.grad is not None and torch.isfinite(first.grad).all() and first.grad.abs().sum() > 0
    yolo.model.zero_grad()


def test_pictures_are_fitted_as_likeness_does_it():
    assert np.allclose(resampling(2, 4), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert np.allclose(resampling(4, 2), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    assert np.allclose(resampling(3, 7).sum(1), 1)
    planes, place = letterbox(np.full((100, 201, 3), 255, np.uint8), 320)
    assert (place.left, place.top, place.width, place.height) == (0, 80, 320, 159)
    assert planes[0, 79, 0] == pytest.approx(114 / 255) and planes[0, 80, 0] == 1 and planes[0, 239, 0] == pytest.approx(114 / 255)


def test_a_picture_is_read_upright_and_one_with_transparency_is_refused(yolo, tmp_path):
    model = EmbeddingYOLO(yolo, SIZE)
    upright = noise_picture()
    turned = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise
    turned.save(tmp_path / "turned.png", exif=exif)
    assert np.allclose(model.embed_objects(tmp_path / "turned.png").whole, model.embed_objects(upright).whole)
    Image.fromarray(upright).convert("RGBA").save(tmp_path / "clear.png")
    with pytest.raises(ValueError, match="transparency"):
        model.embed_objects(tmp_path / "clear.png")
    with pytest.raises(ValueError, match="u8"):
        model.embed_objects(np.zeros((4, 4)))
