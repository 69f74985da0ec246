"""Object vectors from any Ultralytics detector: the same boxes and vectors that Likeness computes
from its export."""

from .embedding_head import EmbeddingHead
from .embedding_yolo import EmbeddingYOLO, Objects
from .losses import contrastive_loss
from .profile import Part, Profile, load_profile

__all__ = ["EmbeddingHead", "EmbeddingYOLO", "Objects", "Part", "Profile", "contrastive_loss", "load_profile"]
