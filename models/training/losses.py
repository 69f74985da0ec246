"""Losses of the training: boxes, vectors that find the same thing again, and a sense of kind from a
teacher."""
import torch
import torch.nn.functional as F

from yolox import STRIDES

TOP_CELLS = 10


def cell_middles(found):
    """Returns [cells, 2] in pixels, and each cell's stride."""
    middles, strides = [], []
    for (edges, _), stride in zip(found, STRIDES):
        height, width = edges.shape[2:]
        y, x = torch.meshgrid(torch.arange(height, device=edges.device), torch.arange(width, device=edges.device), indexing="ij")
        middles.append(torch.stack((x, y), 2).reshape(-1, 2).float().add(0.5).mul(stride))
        strides.append(torch.full((height * width,), float(stride), device=edges.device))
    return torch.cat(middles), torch.cat(strides)


def overlap(a, b):
    """Returns intersection over union of boxes that broadcast, and the sizes of both boxes."""
    left_top, right_bottom = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (right_bottom - left_top).clamp_min(0).prod(-1)
    size_a, size_b = (a[..., 2:] - a[..., :2]).clamp_min(1e-3), (b[..., 2:] - b[..., :2]).clamp_min(1e-3)
    iou = shared / (size_a.prod(-1) + size_b.prod(-1) - shared).clamp_min(1e-6)
    return iou, size_a, size_b


def complete_iou(a, b):
    iou, size_a, size_b = overlap(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    distance = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2).pow(2).sum(-1) / hull.pow(2).sum(-1).clamp_min(1e-6)
    aspect = (4 / torch.pi**2) * (torch.atan(size_b[..., 0] / size_b[..., 1]) - torch.atan(size_a[..., 0] / size_a[..., 1])).pow(2)
    weight = (aspect / (1 - iou + aspect).clamp_min(1e-6)).detach()
    return iou - distance - weight * aspect


def assign(scores, boxes, middles, kinds, targets, real):
    """Assigns cells to targets, task-aligned: the cells inside a target with the best score^.5 x
    iou^6. Returns target index and quality of each cell, -1 for a cell without a target.

    scores [b, cells, classes] after the sigmoid, boxes [b, cells, 4], kinds [b, m], targets [b, m,
    4], real [b, m].
    """
    iou = overlap(targets[:, :, None], boxes[:, None])[0]
    of_kind = scores.gather(2, kinds[:, None].expand(-1, scores.shape[1], -1)).transpose(1, 2)
    inside = ((middles[None, None] - targets[:, :, None, :2]).amin(-1) > 0) & ((targets[:, :, None, 2:] - middles[None, None]).amin(-1) > 0) & real[:, :, None]
    quality = (of_kind.clamp_min(1e-6).sqrt() * iou.pow(6)) * inside
    best = quality.topk(min(TOP_CELLS, quality.shape[2]), 2)
    chosen = torch.zeros_like(inside).scatter(2, best.indices, best.values > 1e-12) & inside
    # A cell of several targets goes to the target with the best overlap.
    owner = torch.where(chosen, iou, torch.full_like(iou, -1.0)).max(1)
    index = torch.where(owner.values >= 0, owner.indices, torch.full_like(owner.indices, -1))
    held = F.one_hot(index.clamp_min(0), targets.shape[1]).transpose(1, 2).bool() & (index >= 0)[:, None]
    most_quality = (quality * held).amax(2, keepdim=True).clamp_min(1e-9)
    most_iou = (iou * held).amax(2, keepdim=True)
    soft = (quality * held / most_quality * most_iou).amax(1)
    return index, soft


def detection_loss(found, targets, ignored):
    """`targets` [k, 6]: picture, class, box; `ignored` [j, 5]: places whose content is unknown."""
    batch = found[0][0].shape[0]
    middles, strides = cell_middles(found)
    edges = torch.cat([e.float().flatten(2) for e, _ in found], 2).transpose(1, 2)
    logits = torch.cat([s.float().flatten(2) for _, s in found], 2).transpose(1, 2)
    boxes = torch.cat((middles - edges[..., :2], middles + edges[..., 2:]), 2)
    most = max(1, max((int((targets[:, 0] == n).sum()) for n in range(batch)), default=1))
    kinds = torch.zeros(batch, most, dtype=torch.long, device=logits.device)
    places = torch.zeros(batch, most, 4, device=logits.device)
    real = torch.zeros(batch, most, dtype=torch.bool, device=logits.device)
    for n in range(batch):
        own = targets[targets[:, 0] == n]
        kinds[n, : len(own)], places[n, : len(own)], real[n, : len(own)] = own[:, 1].long(), own[:, 2:], True
    with torch.no_grad():
        index, soft = assign(logits.sigmoid(), boxes, middles, kinds, places, real)
        is_found = index >= 0
        owners = index.clamp_min(0)
        wanted = F.one_hot(kinds.gather(1, owners), logits.shape[2]) * (soft * is_found)[..., None]
        counted = torch.ones(index.shape, device=logits.device)
        for n in range(batch):
            for box in ignored[ignored[:, 0] == n][:, 1:]:
                inside = ((middles > box[:2]) & (middles < box[2:])).all(1)
                counted[n, inside & ~is_found[n]] = 0
        total = wanted.sum().clamp_min(1)
    score_loss = (F.binary_cross_entropy_with_logits(logits, wanted.float(), reduction="none") * counted[..., None]).sum() / total
    if not is_found.any():
        return score_loss
    aims = places.gather(1, owners[..., None].expand(-1, -1, 4))[is_found]
    weight = soft[is_found]
    box_loss = ((1 - complete_iou(boxes[is_found], aims)) * weight).sum() / total
    return 0.5 * score_loss + 7.5 / 5 * box_loss


def contrastive_loss(vectors, identities, temperature):
    """Each vector has to find the other of its identity in the whole batch. There is no memory of
    earlier batches, because training with a memory collapsed."""
    likeness = vectors @ vectors.T / temperature
    same = identities[:, None] == identities[None]
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    paired = (same & ~own).any(1)
    likeness = likeness.masked_fill(own, -1e4)
    chance = likeness.log_softmax(1)
    return -(chance.masked_fill(~(same & ~own), 0).sum(1) / (same & ~own).sum(1).clamp_min(1))[paired].mean()


def spread_loss(vectors, identities):
    """Pushes each vector away from the nearest vector of another thing (the differential entropy of
    Sablayrolles et al. 2019): all of the space is used."""
    likeness = vectors @ vectors.T
    likeness = likeness.masked_fill(identities[:, None] == identities[None], -1)
    return -(2 - 2 * likeness.amax(1)).clamp_min(1e-6).sqrt().log().mean()


def kind_loss(guessed, taught):
    """Compares the guess from the raw vector with the teacher's descriptor, where a descriptor
    exists."""
    known = taught.abs().sum(1) > 0
    return (1 - F.cosine_similarity(guessed[known], taught[known])).sum() / known.sum().clamp_min(1)


def order_loss(vectors, taught, identities, temperature=0.1):
    """Teaches the teacher's similarities: for each thing, the similarities to all others as a
    distribution."""
    known = taught.abs().sum(1) > 0
    vectors, taught, identities = vectors[known], taught[known], identities[known]
    if len(identities.unique()) < 3:
        return vectors.sum() * 0
    same = identities[:, None] == identities[None]
    mine = (vectors @ vectors.T / temperature).masked_fill(same, -1e4)
    theirs = (taught @ taught.T / temperature).masked_fill(same, -1e4)
    return F.kl_div(mine.log_softmax(1), theirs.log_softmax(1), reduction="batchmean", log_target=True)
