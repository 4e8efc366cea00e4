/** Every surface, in the order in which a run's report names them. */
import type { Surface } from '../input.ts';
import { base64 } from './base64.ts';
import { conditions } from './conditions.ts';
import { envelopes } from './envelopes.ts';
import { ids } from './ids.ts';
import { images } from './images.ts';
import { queries } from './queries.ts';
import { ranges } from './ranges.ts';
import { requests } from './requests.ts';
import { streams } from './streams.ts';
import { webSocket } from './web-socket.ts';

export const SURFACES: readonly [Surface, ...Surface[]] = [
  requests,
  ids,
  queries,
  ranges,
  conditions,
  envelopes,
  base64,
  images,
  streams,
  webSocket,
];
