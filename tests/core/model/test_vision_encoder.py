from __future__ import annotations

import torch
from transformers.models.siglip.modeling_siglip import SiglipVisionModel

from fer_core.config import FERConfig
from fer_core.model.vision_encoder import VisionEncoder


@torch.inference_mode()
def test_an_untrained_encoder_tells_pictures_apart() -> None:
    torch.manual_seed(0)
    encoder = VisionEncoder(FERConfig().vision, in_block=False).eval()
    tokens = encoder(torch.rand(2, 3, 224, 224) * 2 - 1)
    assert tokens.shape == (2, 196, 192)
    assert 0.3 < tokens.std() < 3
    assert (tokens[0] - tokens[1]).std() > 0.1


@torch.inference_mode()
def test_all_patches_in_order_give_what_siglip_itself_gives(tiny_config: FERConfig) -> None:
    encoder = VisionEncoder(tiny_config.vision, in_block=False).eval()
    pixels = torch.rand(2, 3, 224, 224)
    itself = SiglipVisionModel.forward(encoder, pixels).last_hidden_state
    torch.testing.assert_close(encoder(pixels), itself)
    everything = torch.arange(196).expand(2, 196)
    torch.testing.assert_close(encoder(pixels, everything), itself)
