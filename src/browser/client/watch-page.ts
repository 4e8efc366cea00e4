/** The moments in a page's life that matter to a connection. */

export interface PageLife {
  /** Trying makes sense now: the network is back, the page is seen again. */
  wake(): void;
  offline(): void;
  /** The page goes; with a connection open, it would not be kept in the back-forward cache. */
  pause(): void;
}

export function watchPage(life: PageLife): void {
  addEventListener('online', life.wake);
  addEventListener('offline', life.offline);
  addEventListener('pageshow', life.wake);
  addEventListener('pagehide', life.pause);
  document.addEventListener('visibilitychange', () => !document.hidden && life.wake());
}
