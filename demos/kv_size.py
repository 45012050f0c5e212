"""How many bytes a KV cache takes: counted from real tensors, and computed for other numbers of KV heads.

Per token and layer the cache holds one key and one value vector for each KV head. Multi-head attention (MHA) has as
many KV heads as query heads, multi-query attention (MQA, arXiv:1911.02150) has one, and grouped-query attention (GQA,
arXiv:2305.13245) has a number in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PretrainedConfig
    from transformers.cache_utils import Cache


def cache_bytes(cache: Cache) -> int:
    """Bytes of the keys and values that the cache really holds, over all rows and layers."""
    from transformers.cache_utils import CacheLayerMixin

    held = [
        tensor
        for layer in cache.layers
        if isinstance(layer, CacheLayerMixin)
        for tensor in (layer.keys, layer.values)
        if tensor is not None
    ]
    return sum(tensor.nbytes for tensor in held)


def kv_heads(config: PretrainedConfig) -> int:
    """The model's own number of KV heads; configs without that entry describe multi-head attention."""
    return int(getattr(config, "num_key_value_heads", None) or config.num_attention_heads)


def head_size(config: PretrainedConfig) -> int:
    """Numbers in one head's key, query or value."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def bytes_per_token(config: PretrainedConfig, heads: int, number_bytes: int) -> int:
    """Bytes that each token adds to a cache with `heads` KV heads: key and value, in every layer."""
    return 2 * int(config.num_hidden_layers) * heads * head_size(config) * number_bytes


def attention_kind(config: PretrainedConfig) -> str:
    """MHA, GQA or MQA, by the numbers of heads."""
    heads = kv_heads(config)
    return "MHA" if heads == config.num_attention_heads else "MQA" if heads == 1 else "GQA"
