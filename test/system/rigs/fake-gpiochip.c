/*
 * A fake of /dev/gpiochip0 and /dev/spidev0.0 for tests: runs a command and answers its ioctls of GPIO (uAPI v2) and of spidev, on which an
 * MCP3008 hangs, in place of the kernel.
 *
 *   fake-gpiochip CONTROL LOG COMMAND...
 *
 * The command keeps the pid of this program. The devices only have to be files that can be opened: a seccomp filter hands every ioctl of
 * type 0xB4 and 'k' to a supervisor, which reads and writes the structures in the memory of the caller and gives it descriptors. The structures are those of
 * linux/gpio.h. A line is the reading end of a pipe whose writing end takes the edges; it is released when nobody has the reading end any more.
 * CONTROL is a FIFO that takes lines of text:
 *   pull LINE LEVEL      the world puts a level on an input
 *   bounce LINE COUNT    so many edges that all but the last are lost
 *   wire OUT IN          the input IN follows the output OUT, as a mirror contact follows a coil; `cut OUT` ends that
 *   hold LINE NAME       NAME has LINE; `deny LINE`: asking for it gives EPERM (a line that is exported in sysfs, whose base is 512, is held, too)
 *   remove               the chip is gone
 *   spi HIGH LOW SHARE   what the MCP3008 measures at all its channels, in counts: a wave of 1 kHz, HIGH for SHARE thousandths of it
 * LOG gets one line for each thing that happens: monotonic nanoseconds, /line/N (or /request/N, /release/N, `pull N`), value; of spidev /spi/mode with the mode, `spi HIGH` with LOW,
 * and /spi/channel with the channel and the count of the samples for the first message after each of these.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/gpio.h>
#include <linux/seccomp.h>
#include <linux/spi/spidev.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINES = 54, NONE = -1 };

struct line {
  __u64 flags;          /* of the request; 0: nobody has it */
  char consumer[GPIO_MAX_NAME_SIZE];
  int level;            /* physical */
  int events;           /* the writing end */
  ino_t inode;          /* of its pipe: by this a descriptor is known */
  __u32 sequence;
  int wired_to;
  int refusal;          /* errno of a request */
  bool held;            /* by somebody else */
};

static struct line lines[LINES];
static struct { int high, low, share; double phase_us; bool told; } wave;
static bool removed;
static FILE *log_file;
static int listener;

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void note(const char *what, int line, const char *value) {
  fprintf(log_file, "%lld %s%d %s\n", now(), what, line, value);
  fflush(log_file);
}

static _Noreturn void die(const char *what) {
  perror(what);
  exit(1);
}

/* ---- the world ---- */

static void tell_edge(struct line *line, int index) {
  bool rising = line->level != !!(line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  if (!(line->flags & (rising ? GPIO_V2_LINE_FLAG_EDGE_RISING : GPIO_V2_LINE_FLAG_EDGE_FALLING))) return;
  struct gpio_v2_line_event event = {
      .timestamp_ns = (__u64)now(), .offset = (__u32)index, .seqno = ++line->sequence, .line_seqno = line->sequence,
      .id = rising ? GPIO_V2_LINE_EVENT_RISING_EDGE : GPIO_V2_LINE_EVENT_FALLING_EDGE};
  if (write(line->events, &event, sizeof event) != sizeof event && errno != EPIPE) perror("event");
}

static void set_level(int index, int level) {
  struct line *line = &lines[index];
  if (line->level == level) return;
  line->level = level;
  if (line->events != NONE) tell_edge(line, index);
}

static void drive(int index, int level) {
  note("/line/", index, level ? "1" : "0");
  set_level(index, level);
  if (lines[index].wired_to != NONE) set_level(lines[index].wired_to, level);
}

static void forget(int index) {
  struct line *line = &lines[index];
  close(line->events);
  line->events = NONE;
  line->flags = 0;
  line->consumer[0] = 0;
  note("/release/", index, line->level ? "1" : "0");
}

static void obey(char *text) {
  char word[16], name[GPIO_MAX_NAME_SIZE];
  int a = 0, b = 0;
  if (sscanf(text, "spi %d %d %d", &wave.high, &wave.low, &wave.share) == 3) {
    char low[16];
    snprintf(low, sizeof low, "%d", wave.low);
    wave.told = false;
    note("spi ", wave.high, low);
    return;
  }
  if (sscanf(text, "%15s %d %31s", word, &a, name) < 1 || a < 0 || a >= LINES) return;
  sscanf(text, "%*s %*d %d", &b);
  struct line *line = &lines[a];
  if (strcmp(word, "pull") == 0) {
    note("pull ", a, b ? "1" : "0");
    set_level(a, b);
  } else if (strcmp(word, "bounce") == 0) {
    line->sequence += (__u32)(b - 1);
    set_level(a, line->level ^ (b & 1));
    if (!(b & 1)) tell_edge(line, a);
  } else if (strcmp(word, "wire") == 0) {
    line->wired_to = b;
  } else if (strcmp(word, "cut") == 0) {
    line->wired_to = NONE;
  } else if (strcmp(word, "hold") == 0) {
    line->held = true;
    strcpy(line->consumer, name);
  } else if (strcmp(word, "deny") == 0) {
    line->refusal = EPERM;
  } else if (strcmp(word, "remove") == 0) {
    removed = true;
    for (int i = 0; i < LINES; i++)
      if (lines[i].events != NONE) forget(i);
  }
}

/* ---- what the kernel would answer ---- */

static int chip_info(struct gpiochip_info *info) {
  *info = (struct gpiochip_info){.name = "gpiochip0", .label = "pinctrl-fake", .lines = LINES};
  return 0;
}

static bool exported(__u32 index) {
  char path[64];
  snprintf(path, sizeof path, "/sys/class/gpio/gpio%u", 512 + index);
  return access(path, F_OK) == 0;
}

static int line_info(struct gpio_v2_line_info *info) {
  if (info->offset >= LINES) return EINVAL;
  const struct line *line = &lines[info->offset];
  const bool by_sysfs = exported(info->offset);
  memcpy(info->consumer, by_sysfs ? "sysfs" : line->consumer, by_sysfs ? sizeof "sysfs" : sizeof info->consumer);
  info->flags = (line->flags || line->held || by_sysfs ? GPIO_V2_LINE_FLAG_USED : 0) | line->flags;
  return 0;
}

static bool all_zero(const void *bytes, size_t size) {
  for (const char *at = bytes; size > 0; size--)
    if (*at++) return false;
  return true;
}

/* As gpiolib-cdev.c checks it, as far as we use it. */
static int refusal(const struct gpio_v2_line_request *request) {
  const struct gpio_v2_line_config *config = &request->config;
  const __u64 direction = config->flags & (GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_OUTPUT);
  const __u64 edges = config->flags & (GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING);
  if (request->num_lines != 1 || config->num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX || request->offsets[0] >= LINES) return EINVAL;
  if (!all_zero(request->padding, sizeof request->padding) || !all_zero(config->padding, sizeof config->padding)) return EINVAL;
  if (direction != GPIO_V2_LINE_FLAG_INPUT && direction != GPIO_V2_LINE_FLAG_OUTPUT) return EINVAL;
  if (edges && direction == GPIO_V2_LINE_FLAG_OUTPUT) return EINVAL;
  for (__u32 i = 0; i < config->num_attrs; i++)
    if (config->attrs[i].attr.padding || config->attrs[i].mask != 1) return EINVAL;
  const struct line *line = &lines[request->offsets[0]];
  return line->refusal ? line->refusal : line->flags || line->held || exported(request->offsets[0]) ? EBUSY : 0;
}

static int get_line(struct gpio_v2_line_request *request, __u64 id) {
  int error = refusal(request);
  if (error) return error;
  int index = (int)request->offsets[0], ends[2];
  struct line *line = &lines[index];
  struct stat stat;
  if (pipe2(ends, O_CLOEXEC) || fstat(ends[0], &stat)) die("pipe");
  struct seccomp_notif_addfd add = {.id = id, .srcfd = (__u32)ends[0], .newfd_flags = O_CLOEXEC};
  request->fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
  if (request->fd < 0) die("addfd");
  close(ends[0]);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  line->events = ends[1];
  line->inode = stat.st_ino;
  line->flags = request->config.flags;
  line->sequence = 0;
  memcpy(line->consumer, request->consumer, sizeof line->consumer);
  char what[64];
  __u64 value = 0;
  int length = snprintf(what, sizeof what, "flags=%llx", (unsigned long long)line->flags);
  for (__u32 i = 0; i < request->config.num_attrs; i++) {
    const struct gpio_v2_line_attribute *attribute = &request->config.attrs[i].attr;
    if (attribute->id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES) value = attribute->values & 1;
    if (attribute->id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE)
      snprintf(what + length, sizeof what - (size_t)length, ",debounce=%u", attribute->debounce_period_us);
  }
  note("/request/", index, what);
  if (line->flags & GPIO_V2_LINE_FLAG_OUTPUT) drive(index, (int)value ^ !!(line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW));
  return 0;
}

static int line_of(pid_t pid, int fd) {
  char path[64];
  struct stat stat_of;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  if (stat(path, &stat_of)) return NONE;
  for (int i = 0; i < LINES; i++)
    if (lines[i].events != NONE && lines[i].inode == stat_of.st_ino) return i;
  return NONE;
}

static int line_values(int index, struct gpio_v2_line_values *values, bool set) {
  if (index == NONE) return ENOTTY;
  const struct line *line = &lines[index];
  const int turn = !!(line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  if (values->mask != 1) return EINVAL;
  if (!set) values->bits = (__u64)(line->level ^ turn);
  else if (!(line->flags & GPIO_V2_LINE_FLAG_OUTPUT)) return EPERM;
  else drive(index, (int)(values->bits & 1) ^ turn);
  return 0;
}

/* ---- spidev, and the MCP3008 behind it ---- */

enum { MOST_TRANSFERS = 511, BYTES = 3, PERIOD_US = 1000 };

/* The start bit, single-ended, the channel; then a null bit and ten bits of the answer (DS21295, figure 6-1). What comes before is not driven. */
static int convert(const unsigned char sent[BYTES], unsigned char back[BYTES], double at_us) {
  if (sent[0] != 1 || !(sent[1] & 0x80) || (sent[1] & 0x0f) || sent[2]) return NONE;
  const double place = at_us - PERIOD_US * (double)(long)(at_us / PERIOD_US);
  const int count = place < wave.share ? wave.high : wave.low;
  back[0] = 0xff;
  back[1] = (unsigned char)(0xf8 | count >> 8);
  back[2] = (unsigned char)count;
  return (sent[1] >> 4) & 7;
}

static int message(int memory, off_t at, size_t size) {
  static struct spi_ioc_transfer transfers[MOST_TRANSFERS];
  const size_t count = size / sizeof *transfers;
  if (count == 0 || count > MOST_TRANSFERS || size % sizeof *transfers) return EINVAL;
  if (pread(memory, transfers, size, at) != (ssize_t)size) return EFAULT;
  int channel = NONE;
  for (size_t i = 0; i < count; i++) {
    const struct spi_ioc_transfer *transfer = &transfers[i];
    unsigned char sent[BYTES], back[BYTES];
    /* Without a deselection between two of them the chip would go on with the first. */
    if (transfer->len != BYTES || !transfer->cs_change != (i == count - 1) || transfer->speed_hz == 0) return EINVAL;
    if (pread(memory, sent, BYTES, (off_t)transfer->tx_buf) != BYTES) return EFAULT;
    channel = convert(sent, back, wave.phase_us);
    if (channel == NONE) return EINVAL;
    wave.phase_us += BYTES * 8 * 1e6 / transfer->speed_hz;
    if (pwrite(memory, back, BYTES, (off_t)transfer->rx_buf) != BYTES) return EFAULT;
  }
  wave.phase_us += 137;
  if (!wave.told) {
    char times[16];
    snprintf(times, sizeof times, "%zu", count);
    note("/spi/channel", channel, times);
    wave.told = true;
  }
  return 0;
}

static int spi(const struct seccomp_notif *asked, int memory) {
  const unsigned command = (unsigned)asked->data.args[1];
  const off_t at = (off_t)asked->data.args[2];
  char path[64], device[32] = "";
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)asked->pid, (int)asked->data.args[0]);
  if (readlink(path, device, sizeof device - 1) < 0 || strcmp(device, "/dev/spidev0.0") != 0) return ENOTTY;
  if (command == SPI_IOC_WR_MODE) {
    unsigned char mode;
    if (pread(memory, &mode, 1, at) != 1) return EFAULT;
    note("/spi/mode", mode, "set");
    return mode == SPI_MODE_0 ? 0 : EINVAL;
  }
  if (_IOC_NR(command) != 0 || _IOC_DIR(command) != _IOC_WRITE) return ENOTTY;
  return message(memory, at, _IOC_SIZE(command));
}

static int answer(const struct seccomp_notif *asked, int memory) {
  union {
    struct gpiochip_info chip;
    struct gpio_v2_line_info info;
    struct gpio_v2_line_request request;
    struct gpio_v2_line_values values;
  } argument;
  const unsigned command = (unsigned)asked->data.args[1];
  const off_t at = (off_t)asked->data.args[2];
  const size_t size = _IOC_SIZE(command);
  if (_IOC_TYPE(command) == SPI_IOC_MAGIC) return spi(asked, memory);
  if (removed) return ENODEV;
  if (size > sizeof argument) return ENOTTY;
  if (pread(memory, &argument, size, at) != (ssize_t)size) return EFAULT;
  int error = ENOTTY;
  const int fd = (int)asked->data.args[0];
  if (command == GPIO_GET_CHIPINFO_IOCTL) error = chip_info(&argument.chip);
  else if (command == GPIO_V2_GET_LINEINFO_IOCTL) error = line_info(&argument.info);
  else if (command == GPIO_V2_GET_LINE_IOCTL) error = get_line(&argument.request, asked->id);
  else if (command == GPIO_V2_LINE_GET_VALUES_IOCTL) error = line_values(line_of((pid_t)asked->pid, fd), &argument.values, false);
  else if (command == GPIO_V2_LINE_SET_VALUES_IOCTL) error = line_values(line_of((pid_t)asked->pid, fd), &argument.values, true);
  if (!error && pwrite(memory, &argument, size, at) != (ssize_t)size) return EFAULT;
  return error;
}

static void serve_one(void) {
  struct seccomp_notif asked = {0};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) {
    if (errno == ENOENT || errno == EINTR) return;
    die("receive");
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/mem", asked.pid);
  int memory = open(path, O_RDWR | O_CLOEXEC);
  struct seccomp_notif_resp reply = {.id = asked.id, .error = memory < 0 ? -EFAULT : -answer(&asked, memory)};
  if (memory >= 0) close(memory);
  if (reply.error) reply.val = -1;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) && errno != ENOENT) die("send");
}

static void supervise(int control) {
  /* It stands for the kernel, which does not wait for a processor. */
  sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
  char text[4096];
  size_t length = 0;
  for (;;) {
    struct pollfd polled[LINES + 2] = {{.fd = listener, .events = POLLIN}, {.fd = control, .events = POLLIN}};
    for (int i = 0; i < LINES; i++) polled[i + 2] = (struct pollfd){.fd = lines[i].events};
    if (poll(polled, LINES + 2, -1) < 0) die("poll");
    for (int i = 0; i < LINES; i++)
      if (polled[i + 2].revents & POLLERR && lines[i].events == polled[i + 2].fd) forget(i);
    if (polled[1].revents & POLLIN) {
      ssize_t got = read(control, text + length, sizeof text - 1 - length);
      if (got > 0) length += (size_t)got;
      text[length] = 0;
      char *begin = text;
      for (char *end; (end = strchr(begin, '\n')) != NULL; begin = end + 1) {
        *end = 0;
        obey(begin);
      }
      length = strlen(begin);
      memmove(text, begin, length + 1);
    }
    if (polled[0].revents & POLLIN) serve_one();
    if (polled[0].revents & POLLHUP) exit(0);
  }
}

/* Everything but ioctls of type 0xB4 and 'k' goes its way. */
static int filter(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_ioctl, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SPI_IOC_MAGIC << 8, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xb400, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

int main(int count, char **arguments) {
  if (count < 4) return 64;
  log_file = fopen(arguments[2], "ae");
  int control = open(arguments[1], O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (log_file == NULL || control < 0) die(arguments[1]);
  for (int i = 0; i < LINES; i++) lines[i].events = lines[i].wired_to = NONE;
  signal(SIGPIPE, SIG_IGN);
  const pid_t parent = getpid();
  int ready[2];
  if (pipe2(ready, O_CLOEXEC)) die("pipe");
  switch (fork()) {
    case -1: die("fork");
    case 0: {
      /* The supervisor: the filter below does not hold it. */
      int number;
      close(ready[1]);
      if (read(ready[0], &number, sizeof number) != sizeof number) exit(1);
      int command = (int)syscall(SYS_pidfd_open, parent, 0);
      listener = (int)syscall(SYS_pidfd_getfd, command, number, 0);
      if (listener < 0) die("pidfd_getfd");
      close(ready[0]);
      close(0);
      close(1);
      supervise(control);
    }
  }
  int number = filter();
  if (number < 0) die("seccomp");
  fcntl(number, F_SETFD, FD_CLOEXEC);
  if (write(ready[1], &number, sizeof number) != sizeof number) die("ready");
  /* The descriptor goes with the exec: not before the supervisor has its own. */
  struct pollfd taken = {.fd = ready[1]};
  close(ready[0]);
  poll(&taken, 1, 5000);
  signal(SIGPIPE, SIG_DFL);
  execvp(arguments[3], arguments + 3);
  die(arguments[3]);
}
