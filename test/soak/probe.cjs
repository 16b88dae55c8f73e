/** Loaded into the agent of the soak: tells over the channel to its parent what it holds, garbage collected first. Needs --expose-gc. */
process.on('message', () => {
  globalThis.gc();
  globalThis.gc();
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ rss, heapUsed, external, resources });
});
// Listening for messages must not keep the process alive.
process.channel.unref();
