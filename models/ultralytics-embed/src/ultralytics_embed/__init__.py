"""Object vectors from any Ultralytics detector: the same boxes and vectors that Likeness computes
from its export."""

from .embedding_head import EmbeddingHead
from .embedding_yolo import EmbeddingYOLO, Objects
from .losses import contrastive_loss

__all__ = ["EmbeddingHead", "EmbeddingYOLO", "Objects", "contrastive_loss"]
