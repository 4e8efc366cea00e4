/** What `serve` prints once it listens: where to look, and three curl lines that work when pasted. */

/** 24 x 24 pixels, small enough for a command line. */
const SAMPLE =
  'iVBORw0KGgoAAAANSUhEUgAAABgAAAAYCAIAAABvFaqvAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAALklEQVQ4y2P8H1XBAAci' +
  'DGSzmRioBAafQSyPUDw9nLw2GkajYTQaRqNhNOwMAgBDRwc9RkLi7gAAAABJRU5ErkJggg==';

export function whereToLook(url: string, needsToken: boolean): readonly string[] {
  const token = needsToken ? ' -H "Authorization: Bearer $WRITE_TOKEN"' : '';
  return [
    '',
    `  Dashboard  ${url}/`,
    `  Gallery    ${url}/live`,
    '',
    '  Follow what happens, hand an image over (in another terminal), get it back as WebP:',
    '',
    `  curl -sSN '${url}/events?topic=*'`,
    `  curl -sS -X PUT${token} -H 'Content-Type: text/plain' -d 'data:image/png;base64,${SAMPLE}' '${url}/images/hello.png?topic=demo'`,
    `  curl -sS -D - -o hello.webp '${url}/images/hello.png?w=64&format=webp'`,
    '',
  ];
}
