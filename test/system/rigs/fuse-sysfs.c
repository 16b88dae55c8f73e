/*
 * A fake of /sys/class/{gpio,pwm} and /sys/bus/iio/devices for tests: one GPIO chip (label pinctrl-fake, base 512, 54 lines), one PWM chip of
 * two channels, an ADS1115 of four channels with 0.1 mV a count, and a bme280 beside it that is no converter.
 *
 *   fuse-sysfs MOUNTPOINT CONTROL LOG
 *
 * Runs in the foreground and dies with its parent. CONTROL is a FIFO that takes lines of text:
 *   pull LINE LEVEL   the world puts a level on an input
 *   wire OUT IN       the input IN follows the output OUT, as a mirror contact follows a coil; `cut OUT` ends that
 *   busy LINE         exporting LINE gives EBUSY; `deny LINE` EACCES
 *   hold CHANNEL      exporting the PWM channel gives EBUSY, as while a driver of the kernel has it
 *   adc CHANNEL COUNT what the converter measures from now on; `dead CHANNEL`: reading it gives EIO
 * LOG gets one line for each thing that happens: monotonic nanoseconds, path (or `pull LINE`, `adc CHANNEL`), value, pid of the writer. A
 * reading of the converter is told where it is another than the one before, with the pid of the reader.
 * Lines are offsets on the chip everywhere but in sysfs itself.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { BASE = 512, LINES = 54, CHANNELS = 2, ADC_CHANNELS = 4, HANDLES = 256 };
enum { NONE = -1 };

struct line {
  bool exported, output, active_low;
  int level;          /* physical */
  int edge;           /* bit 0 rising, bit 1 falling */
  unsigned events;    /* edges so far */
  int wired_to;
  int refusal;        /* errno of an export */
};

struct channel {
  bool exported;
  bool held;
  long period, duty;
  int enable;
};

struct measured {
  int count;
  int told;           /* the last reading in the log */
  bool dead;
};

/* An open `value` file: which events its reader has seen, and whom to wake. */
struct handle {
  bool used;
  int line;
  unsigned seen;
  struct fuse_pollhandle *poll;
};

static struct line lines[LINES];
static struct channel channels[CHANNELS];
static struct measured adc[ADC_CHANNELS];
static struct handle handles[HANDLES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file;
static const char *control_path;

static void note(const char *what, const char *value, int pid) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  fprintf(log_file, "%lld %s %s %d\n", now.tv_sec * 1000000000LL + now.tv_nsec, what, value, pid);
  fflush(log_file);
}

/* With the lock held. The pollers are woken by the caller, without the lock. */
static int set_level(int index, int level, struct fuse_pollhandle **woken) {
  struct line *line = &lines[index];
  int count = 0;
  if (line->level == level) return 0;
  line->level = level;
  bool rising = level != line->active_low;
  if (!line->output && (line->edge & (rising ? 1 : 2))) {
    line->events++;
    for (int i = 0; i < HANDLES; i++) {
      if (!handles[i].used || handles[i].line != index || handles[i].poll == NULL) continue;
      woken[count++] = handles[i].poll;
      handles[i].poll = NULL;
    }
  }
  return count;
}

static void wake(struct fuse_pollhandle **woken, int count) {
  for (int i = 0; i < count; i++) {
    fuse_notify_poll(woken[i]);
    fuse_pollhandle_destroy(woken[i]);
  }
}

/* Drives an output and what is wired to it. With the lock held. */
static int drive(int index, int level, struct fuse_pollhandle **woken) {
  int count = set_level(index, level, woken);
  int follower = lines[index].wired_to;
  if (follower != NONE) count += set_level(follower, level, woken + count);
  return count;
}

/* ---- paths: what a path names ---- */

enum kind { NOTHING, FOLDER, LINK, TEXT, EXPORT, UNEXPORT, VALUE, DIRECTION, EDGE, ACTIVE_LOW, PWM_EXPORT, PERIOD, DUTY, ENABLE, RAW };

struct named {
  enum kind kind;
  int index;
  const char *text;
};

static struct named find(const char *path) {
  static const struct { const char *path; enum kind kind; const char *text; } fixed[] = {
    {"/", FOLDER, NULL}, {"/gpio", FOLDER, NULL}, {"/pwm", FOLDER, NULL},
    {"/gpio/export", EXPORT, NULL}, {"/gpio/unexport", UNEXPORT, NULL},
    {"/gpio/gpiochip512", FOLDER, NULL}, {"/gpio/gpiochip512/label", TEXT, "pinctrl-fake\n"},
    {"/gpio/gpiochip512/base", TEXT, "512\n"}, {"/gpio/gpiochip512/ngpio", TEXT, "54\n"},
    {"/pwm/pwmchip0", FOLDER, NULL}, {"/pwm/pwmchip0/npwm", TEXT, "2\n"}, {"/pwm/pwmchip0/export", PWM_EXPORT, NULL},
    {"/pwm/pwmchip0/device", LINK, "../../../devices/platform/fake.pwm"},
    {"/iio", FOLDER, NULL}, {"/iio/iio:device0", FOLDER, NULL}, {"/iio/iio:device0/name", TEXT, "bme280\n"},
    {"/iio/iio:device4", FOLDER, NULL}, {"/iio/iio:device4/name", TEXT, "ads1115\n"},
    {"/iio/iio:device4/in_voltage_scale", TEXT, "0.1\n"},
  };
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
    if (strcmp(path, fixed[i].path) == 0) return (struct named){fixed[i].kind, NONE, fixed[i].text};

  int number, length = 0;
  if (sscanf(path, "/gpio/gpio%d%n", &number, &length) == 1 && number >= BASE && number < BASE + LINES &&
      lines[number - BASE].exported) {
    const char *rest = path + length;
    static const struct { const char *name; enum kind kind; } files[] = {
      {"", FOLDER}, {"/value", VALUE}, {"/direction", DIRECTION}, {"/edge", EDGE}, {"/active_low", ACTIVE_LOW}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
      if (strcmp(rest, files[i].name) == 0) return (struct named){files[i].kind, number - BASE, NULL};
  }
  if (sscanf(path, "/pwm/pwmchip0/pwm%d%n", &number, &length) == 1 && number >= 0 && number < CHANNELS &&
      channels[number].exported) {
    const char *rest = path + length;
    static const struct { const char *name; enum kind kind; } files[] = {
      {"", FOLDER}, {"/period", PERIOD}, {"/duty_cycle", DUTY}, {"/enable", ENABLE}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
      if (strcmp(rest, files[i].name) == 0) return (struct named){files[i].kind, number, NULL};
  }
  length = 0;
  if (sscanf(path, "/iio/iio:device4/in_voltage%d_raw%n", &number, &length) == 1 && length > 0 && path[length] == '\0' &&
      number >= 0 && number < ADC_CHANNELS)
    return (struct named){RAW, number, NULL};
  return (struct named){NOTHING, NONE, NULL};
}

static int content(struct named file, char *text, size_t size) {
  static const char *const edges[] = {"none", "rising", "falling", "both"};
  const struct line *line = &lines[file.index < 0 ? 0 : file.index];
  const struct channel *channel = &channels[file.index < 0 || file.index >= CHANNELS ? 0 : file.index];
  switch (file.kind) {
    case TEXT: return snprintf(text, size, "%s", file.text);
    case VALUE: return snprintf(text, size, "%d\n", line->level != line->active_low);
    case DIRECTION: return snprintf(text, size, "%s\n", line->output ? "out" : "in");
    case EDGE: return snprintf(text, size, "%s\n", edges[line->edge]);
    case ACTIVE_LOW: return snprintf(text, size, "%d\n", line->active_low);
    case PERIOD: return snprintf(text, size, "%ld\n", channel->period);
    case DUTY: return snprintf(text, size, "%ld\n", channel->duty);
    case ENABLE: return snprintf(text, size, "%d\n", channel->enable);
    case RAW: return snprintf(text, size, "%d\n", adc[file.index].count);
    default: return 0;
  }
}

/* ---- writes: what the kernel would do, and refuse ---- */

static int export_line(int number, bool exported) {
  if (number < BASE || number >= BASE + LINES) return -EINVAL;
  struct line *line = &lines[number - BASE];
  if (exported && line->refusal) return -line->refusal;
  if (line->exported == exported) return exported ? -EBUSY : -EINVAL;
  line->exported = exported;
  line->edge = 0;
  return 0;
}

static int set_direction(int index, const char *text, struct fuse_pollhandle **woken, int *count) {
  struct line *line = &lines[index];
  bool high = strcmp(text, "high") == 0;
  line->output = strcmp(text, "in") != 0;
  if (!line->output) return 0;
  if (!high && strcmp(text, "low") != 0 && strcmp(text, "out") != 0) return -EINVAL;
  *count = drive(index, high, woken);
  return 0;
}

static int store(struct named file, const char *text, struct fuse_pollhandle **woken, int *count) {
  struct line *line = &lines[file.index < 0 ? 0 : file.index];
  struct channel *channel = &channels[file.index < 0 || file.index >= CHANNELS ? 0 : file.index];
  long number = strtol(text, NULL, 10);
  switch (file.kind) {
    case EXPORT: return export_line((int)number, true);
    case UNEXPORT: return export_line((int)number, false);
    case DIRECTION: return set_direction(file.index, text, woken, count);
    case ACTIVE_LOW: line->active_low = number != 0; return 0;
    case EDGE:
      if (line->output) return -EIO;
      line->edge = strcmp(text, "both") == 0 ? 3 : strcmp(text, "rising") == 0 ? 1 : strcmp(text, "falling") == 0 ? 2 : 0;
      return 0;
    case VALUE:
      if (!line->output) return -EPERM;
      *count = drive(file.index, (number != 0) != line->active_low, woken);
      return 0;
    case PWM_EXPORT:
      if (number < 0 || number >= CHANNELS) return -ENODEV;
      if (channels[number].exported || channels[number].held) return -EBUSY;
      channels[number].exported = true;
      return 0;
    case PERIOD:
      if (number <= 0 || number < channel->duty) return -EINVAL;
      channel->period = number;
      return 0;
    case DUTY:
      if (number < 0 || number > channel->period) return -EINVAL;
      channel->duty = number;
      return 0;
    case ENABLE:
      if (channel->period == 0) return -EINVAL;
      channel->enable = number != 0;
      return 0;
    default: return -EACCES;
  }
}

/* ---- the file system ---- */

static int fs_getattr(const char *path, struct stat *stat, struct fuse_file_info *info) {
  (void)info;
  pthread_mutex_lock(&lock);
  struct named file = find(path);
  pthread_mutex_unlock(&lock);
  if (file.kind == NOTHING) return -ENOENT;
  memset(stat, 0, sizeof *stat);
  stat->st_nlink = 1;
  stat->st_size = 4096;
  stat->st_mode = file.kind == FOLDER ? S_IFDIR | 0755 : file.kind == LINK ? S_IFLNK | 0777 : S_IFREG | 0644;
  return 0;
}

static int fs_readlink(const char *path, char *target, size_t size) {
  struct named file = find(path);
  if (file.kind != LINK) return -EINVAL;
  snprintf(target, size, "%s", file.text);
  return 0;
}

static int fs_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                      enum fuse_readdir_flags flags) {
  (void)offset, (void)info, (void)flags;
  char name[32];
  fill(list, ".", NULL, 0, 0);
  fill(list, "..", NULL, 0, 0);
  pthread_mutex_lock(&lock);
  if (strcmp(path, "/") == 0) {
    fill(list, "gpio", NULL, 0, 0);
    fill(list, "pwm", NULL, 0, 0);
    fill(list, "iio", NULL, 0, 0);
  } else if (strcmp(path, "/iio") == 0) {
    fill(list, "iio:device0", NULL, 0, 0);
    fill(list, "iio:device4", NULL, 0, 0);
  } else if (strcmp(path, "/gpio") == 0) {
    fill(list, "gpiochip512", NULL, 0, 0);
    for (int i = 0; i < LINES; i++) {
      if (!lines[i].exported) continue;
      snprintf(name, sizeof name, "gpio%d", BASE + i);
      fill(list, name, NULL, 0, 0);
    }
  } else if (strcmp(path, "/pwm") == 0) {
    fill(list, "pwmchip0", NULL, 0, 0);
  }
  pthread_mutex_unlock(&lock);
  return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info) {
  int result = 0;
  info->direct_io = 1;
  info->fh = HANDLES;
  pthread_mutex_lock(&lock);
  struct named file = find(path);
  if (file.kind == NOTHING) result = -ENOENT;
  if (file.kind == VALUE) {
    int i = 0;
    while (i < HANDLES && handles[i].used) i++;
    if (i == HANDLES) result = -EMFILE;
    else handles[i] = (struct handle){true, file.index, lines[file.index].events, NULL};
    info->fh = (uint64_t)i;
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int fs_release(const char *path, struct fuse_file_info *info) {
  (void)path;
  if (info->fh >= HANDLES) return 0;
  pthread_mutex_lock(&lock);
  struct fuse_pollhandle *waiting = handles[info->fh].poll;
  handles[info->fh] = (struct handle){0};
  pthread_mutex_unlock(&lock);
  if (waiting != NULL) fuse_pollhandle_destroy(waiting);
  return 0;
}

static int fs_read(const char *path, char *out, size_t size, off_t offset, struct fuse_file_info *info) {
  char text[64];
  pthread_mutex_lock(&lock);
  struct named file = find(path);
  int length = content(file, text, sizeof text);
  if (info->fh < HANDLES) handles[info->fh].seen = lines[handles[info->fh].line].events;
  if (file.kind == RAW && adc[file.index].dead) {
    pthread_mutex_unlock(&lock);
    return -EIO;
  }
  if (file.kind == RAW && offset == 0 && adc[file.index].told != adc[file.index].count) {
    char value[16];
    adc[file.index].told = adc[file.index].count;
    snprintf(value, sizeof value, "%d", adc[file.index].count);
    note(path, value, (int)fuse_get_context()->pid);
  }
  pthread_mutex_unlock(&lock);
  if (offset >= length) return 0;
  int count = length - (int)offset;
  if ((size_t)count > size) count = (int)size;
  memcpy(out, text + offset, (size_t)count);
  return count;
}

static int fs_write(const char *path, const char *in, size_t size, off_t offset, struct fuse_file_info *info) {
  (void)offset, (void)info;
  char text[64];
  struct fuse_pollhandle *woken[HANDLES];
  int count = 0;
  snprintf(text, sizeof text, "%.*s", (int)size, in);
  text[strcspn(text, "\n")] = '\0';
  pthread_mutex_lock(&lock);
  int result = store(find(path), text, woken, &count);
  note(path, text, (int)fuse_get_context()->pid);
  pthread_mutex_unlock(&lock);
  wake(woken, count);
  return result < 0 ? result : (int)size;
}

static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info) {
  (void)path, (void)size, (void)info;
  return 0;
}

static int fs_poll(const char *path, struct fuse_file_info *info, struct fuse_pollhandle *poll, unsigned *events) {
  (void)path;
  struct fuse_pollhandle *old = poll;
  *events = 0;
  pthread_mutex_lock(&lock);
  if (info->fh < HANDLES) {
    struct handle *handle = &handles[info->fh];
    old = handle->poll;
    if (poll != NULL) handle->poll = poll;
    else old = NULL;
    if (handle->seen != lines[handle->line].events) *events = POLLPRI | POLLERR;
  }
  pthread_mutex_unlock(&lock);
  if (old != NULL) fuse_pollhandle_destroy(old);
  return 0;
}

/* ---- the world ---- */

static void measure(const char *word, int channel, int count) {
  char what[32], value[16];
  if (channel < 0 || channel >= ADC_CHANNELS) return;
  pthread_mutex_lock(&lock);
  snprintf(what, sizeof what, "%s %d", word, channel);
  snprintf(value, sizeof value, "%d", count);
  adc[channel].dead = strcmp(word, "dead") == 0;
  if (!adc[channel].dead) adc[channel].count = count;
  note(what, value, 0);
  pthread_mutex_unlock(&lock);
}

static void obey(const char *command) {
  char word[8];
  int a = NONE, b = NONE;
  struct fuse_pollhandle *woken[HANDLES];
  int count = 0;
  int words = sscanf(command, "%7s %d %d", word, &a, &b);
  if (words >= 2 && (strcmp(word, "adc") == 0 || strcmp(word, "dead") == 0)) {
    measure(word, a, b);
    return;
  }
  if (words < 2 || a < 0 || a >= LINES || b >= LINES) return;
  pthread_mutex_lock(&lock);
  if (strcmp(word, "pull") == 0 && !lines[a].output) {
    char what[32];
    snprintf(what, sizeof what, "pull %d", a);
    note(what, b ? "1" : "0", 0);
    count = set_level(a, b != 0, woken);
  } else if (strcmp(word, "wire") == 0 && b >= 0) {
    lines[a].wired_to = b;
    count = set_level(b, lines[a].level, woken);
  } else if (strcmp(word, "cut") == 0) {
    lines[a].wired_to = NONE;
  } else if (strcmp(word, "busy") == 0) {
    lines[a].refusal = EBUSY;
  } else if (strcmp(word, "deny") == 0) {
    lines[a].refusal = EACCES;
  } else if (strcmp(word, "hold") == 0 && a < CHANNELS) {
    channels[a].held = true;
  }
  pthread_mutex_unlock(&lock);
  wake(woken, count);
}

static void *listen_to_control(void *unused) {
  (void)unused;
  char command[128];
  /* For writing too, so that it does not end when a writer leaves. */
  FILE *control = fdopen(open(control_path, O_RDWR | O_CLOEXEC), "r");
  while (control != NULL && fgets(command, sizeof command, control) != NULL) obey(command);
  return NULL;
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)connection;
  config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
  config->direct_io = 1;
  pthread_t thread;
  pthread_create(&thread, NULL, listen_to_control, NULL);
  return NULL;
}

static const struct fuse_operations operations = {
  .init = fs_init, .getattr = fs_getattr, .readlink = fs_readlink, .readdir = fs_readdir, .open = fs_open,
  .release = fs_release, .read = fs_read, .write = fs_write, .truncate = fs_truncate, .poll = fs_poll,
};

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: fuse-sysfs MOUNTPOINT CONTROL LOG\n");
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int i = 0; i < LINES; i++) lines[i].wired_to = NONE;
  for (int i = 0; i < ADC_CHANNELS; i++) adc[i].told = NONE;
  control_path = argv[2];
  log_file = fopen(argv[3], "ae");
  if (log_file == NULL) {
    perror(argv[3]);
    return 1;
  }
  char *arguments[] = {argv[0], "-f", "-o", "allow_other,nodev,nosuid,fsname=fuse-sysfs", argv[1]};
  return fuse_main(5, arguments, &operations, NULL);
}
