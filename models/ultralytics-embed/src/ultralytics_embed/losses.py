"""The loss that pulls views of the same thing together and different things apart."""

from __future__ import annotations

import torch


def contrastive_loss(vectors: torch.Tensor, identities: torch.Tensor, temperature: float = 0.07) -> torch.Tensor:
    """Supervised contrastive loss among the vectors of a batch (f32 [n, dim], unit length);
    `identities`: i64 [n].

    Every identity should appear at least twice. A vector without a partner does not count.
    ValueError when no vector has a partner.
    """
    same = identities[:, None] == identities[None, :]
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    partners = same & ~itself
    counted = partners.any(1)
    if not counted.any():
        raise ValueError("no identity appears twice in the batch")
    logits = (vectors @ vectors.T / temperature).masked_fill(itself, float("-inf"))
    log_shares = logits - logits.logsumexp(1, keepdim=True)
    mean = log_shares.masked_fill(~partners, 0).sum(1)[counted] / partners.sum(1)[counted]
    return -mean.mean()
