import numpy as np
import pytest
import torch

from ultralytics_embed import EmbeddingHead, contrastive_loss


def views_of_things(things: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns four views each. The part that tells things apart is weak, the part that varies
    between views is strong."""
    numbers = torch.Generator().manual_seed(seed)
    own = torch.randn(things, 1, 8, generator=numbers).expand(-1, 4, -1)
    varying = 4 * torch.randn(things, 4, 24, generator=numbers)
    return torch.cat([own, varying], 2).flatten(0, 1), torch.arange(things).repeat_interleave(4)


def share_found(vectors: torch.Tensor, identities: torch.Tensor) -> float:
    scores = vectors @ vectors.T
    scores.fill_diagonal_(-2)
    return (identities[scores.argmax(1)] == identities).float().mean().item()


def test_a_trained_head_finds_things_that_it_was_not_trained_on():
    torch.manual_seed(0)
    raw, identities = views_of_things(200)
    head = EmbeddingHead(32, 16)
    optimizer = torch.optim.Adam(head.parameters(), 0.01)
    for _ in range(150):
        loss = contrastive_loss(head(raw), identities)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    other, others = views_of_things(50, seed=1)
    with torch.no_grad():
        found = share_found(head.eval()(other), others)
    assert share_found(torch.nn.functional.normalize(other), others) < 0.5
    assert found > 0.9


def test_the_saved_profile_is_the_head(tmp_path):
    head = EmbeddingHead(32, 16)
    raw, _ = views_of_things(20)
    head.train()(raw)
    numbers = np.frombuffer(head.save_profile(tmp_path / "own.profile.f32").read_bytes(), "<f4")
    matrix, bias = numbers[: 16 * 32].reshape(16, 32), numbers[16 * 32 :]
    vectors = raw.numpy() @ matrix.T + bias
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(vectors, head.eval()(raw).detach().numpy(), atol=1e-5)


def test_the_loss_is_smaller_where_things_lie_together_and_needs_a_thing_that_appears_twice():
    identities = torch.tensor([0, 0, 1, 1])
    east, north = torch.tensor([1.0, 0]), torch.tensor([0, 1.0])
    together, mixed = torch.stack([east, east, north, north]), torch.stack([east, north, east, north])
    assert contrastive_loss(together, identities) < 0.01 < contrastive_loss(mixed, identities)
    with pytest.raises(ValueError, match="twice"):
        contrastive_loss(together, torch.arange(4))
