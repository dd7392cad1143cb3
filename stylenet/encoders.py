"""The compact content encoder: VGG-19's four taps seen through a network of 1/80 of its size, distilled from it."""

from torch import Tensor, nn
from torch.nn import functional

from stylenet.vgg import TAPS


class Conv(nn.Conv2d):
    """A 3x3 convolution with reflected borders: zeros there would paint a frame around every picture."""

    def __init__(self, channels_in: int, channels_out: int, *, stride: int = 1) -> None:
        super().__init__(channels_in, channels_out, 3, stride=stride, padding=1, padding_mode="reflect")


class CompactEncoder(nn.Module):
    """image -> four taps, at VGG-19's places and half-resolution steps, with `widths` channels.

    Args:
        widths: channels of the four taps.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 64)) -> None:
        super().__init__()
        self.tap_channels = widths
        one, two, three, four = widths
        self.level1 = Conv(3, one)
        self.down2 = Conv(one, two, stride=2)
        self.level2 = Conv(two, two)
        self.down3 = Conv(two, three, stride=2)
        self.level3 = Conv(three, three)
        self.inner4 = Conv(three, four)
        self.level4 = Conv(four, four)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Features by tap.

        Args:
            image: (N, 3, H, W) float32, -1..1, sides of at least 16.

        Returns:
            relu1_1 at (H, W), relu2_1 at half, relu3_1 and relu3_4 at a quarter (rounded up), all >= 0.
        """
        one = functional.relu(self.level1(image))
        two = functional.relu(self.level2(functional.relu(self.down2(one))))
        three = functional.relu(self.level3(functional.relu(self.down3(two))))
        four = functional.relu(self.level4(functional.relu(self.inner4(three))))
        return dict(zip(TAPS, (one, two, three, four), strict=True))
