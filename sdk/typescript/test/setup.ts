/* Before all: the accounts of those tests that speak to a running service. */
import { Magpie } from '../src/index.js';
import { password, setupToken, url } from './service.js';

export default async function setUp(): Promise<void> {
  if (!url) {
    console.warn('MAGPIE_URL is not set: what needs a running service is skipped');
    return;
  }
  const service = new Magpie({ baseUrl: url });
  await service.setUp({ setup_token: setupToken, username: 'root', password });
  // One for each file of tests, for they run side by side: neither sees the pictures of the other.
  for (const username of ['ada', 'bob']) await service.register({ username, password });
}
