// SPDX-License-Identifier: GPL-2.0
/* An MCP3208 without metal. What its inputs read is written to /sys/module/iio_mock/parameters/raw: N,N,N,N, each 0..4095 of 3.3 V. */
#include <linux/err.h>
#include <linux/iio/iio.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#define BITS 12
#define REFERENCE_MV 3300
#define CHANNEL(index)                                                                                         \
	{                                                                                                      \
		.type = IIO_VOLTAGE, .indexed = 1, .channel = (index), .info_mask_separate = BIT(IIO_CHAN_INFO_RAW), \
		.info_mask_shared_by_type = BIT(IIO_CHAN_INFO_SCALE)                                           \
	}

static const struct iio_chan_spec channels[] = { CHANNEL(0), CHANNEL(1), CHANNEL(2), CHANNEL(3) };
static unsigned int raw[ARRAY_SIZE(channels)];
module_param_array(raw, uint, NULL, 0644);

static struct platform_device *device;

static int iio_mock_read_raw(struct iio_dev *iio, const struct iio_chan_spec *channel, int *val, int *val2, long mask)
{
	if (mask == IIO_CHAN_INFO_RAW) {
		*val = READ_ONCE(raw[channel->channel]);
		return IIO_VAL_INT;
	}
	*val = REFERENCE_MV;
	*val2 = BITS;
	return IIO_VAL_FRACTIONAL_LOG2;
}

static const struct iio_info iio_mock_info = { .read_raw = iio_mock_read_raw };

static int iio_mock_probe(struct platform_device *pdev)
{
	struct iio_dev *iio = devm_iio_device_alloc(&pdev->dev, 0);

	if (!iio)
		return -ENOMEM;
	iio->name = "mcp3208";
	iio->modes = INDIO_DIRECT_MODE;
	iio->info = &iio_mock_info;
	iio->channels = channels;
	iio->num_channels = ARRAY_SIZE(channels);
	return devm_iio_device_register(&pdev->dev, iio);
}

static struct platform_driver iio_mock_driver = { .driver = { .name = "iio-mock" } };

static int __init iio_mock_init(void)
{
	device = platform_create_bundle(&iio_mock_driver, iio_mock_probe, NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(device);
}

static void __exit iio_mock_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&iio_mock_driver);
}

module_init(iio_mock_init);
module_exit(iio_mock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Converter without metal");
