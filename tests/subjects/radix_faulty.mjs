// The cache of radix.mjs with one fault: the upper half of a split forgets its locks.

import { Cache, serve } from "./radix.mjs";

class Faulty extends Cache {
  split(lower, at) {
    return Object.assign(super.split(lower, at), { lock: 0 });
  }
}

serve(Faulty);
