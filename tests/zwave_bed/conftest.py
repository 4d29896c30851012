"""The shared bed, for the tests of the bed itself."""

from tests.zwave_bed.fixtures import running_zwave_bed, zwave_bed

__all__ = ["running_zwave_bed", "zwave_bed"]
