// SPDX-License-Identifier: GPL-2.0
/* A PWM chip without metal: two channels whose every setting is a line of the kernel log, with its monotonic time. */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>

static struct platform_device *device;

static int pwm_mock_apply(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
	pr_info("pwm_mock: %u enabled=%d duty_ns=%llu period_ns=%llu at_ns=%lld\n", pwm->hwpwm, state->enabled,
		state->duty_cycle, state->period, ktime_get_ns());
	return 0;
}

static const struct pwm_ops pwm_mock_ops = {
	.apply = pwm_mock_apply,
};

static int pwm_mock_probe(struct platform_device *pdev)
{
	struct pwm_chip *chip = devm_pwmchip_alloc(&pdev->dev, 2, 0);

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	chip->ops = &pwm_mock_ops;
	return devm_pwmchip_add(&pdev->dev, chip);
}

static struct platform_driver pwm_mock_driver = {
	.probe = pwm_mock_probe,
	.driver = { .name = "pwm-mock" },
};

static int __init pwm_mock_init(void)
{
	int failure = platform_driver_register(&pwm_mock_driver);

	if (failure)
		return failure;
	device = platform_device_register_simple("pwm-mock", PLATFORM_DEVID_NONE, NULL, 0);
	if (!IS_ERR(device))
		return 0;
	platform_driver_unregister(&pwm_mock_driver);
	return PTR_ERR(device);
}

static void __exit pwm_mock_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&pwm_mock_driver);
}

module_init(pwm_mock_init);
module_exit(pwm_mock_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("PWM chip without metal");
