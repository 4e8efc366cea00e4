/**
 * Loads the native module of uWebSockets.js, or says which Node versions have one. The only place
 * that may fail for a reason of the machine and not of the program.
 */

/** What was loaded, for the first log line; throws an Error with a sentence for the operator. */
export async function loadNative(): Promise<string> {
  const platform = `${process.platform} ${process.arch}, Node ${process.versions.node}`;
  try {
    const native = await import('uWebSockets.js');
    // Without this every response carries a `uWebSockets: 20` header.
    (native as unknown as { _cfg: (option: string) => void })._cfg('silent');
    return `uWebSockets.js native module loaded (${platform}, ABI ${process.versions.modules})`;
  } catch (error) {
    throw new Error(
      `uWebSockets.js has no native module that loads here (${platform}). ` +
        'Use Node 20 or 22 on glibc Linux, macOS or Windows (x64 or arm64), and install with `npm ci`.',
      { cause: error },
    );
  }
}
