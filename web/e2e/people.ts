/* Getting in, and pictures without clicking for each: by the interface itself. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { PASSWORD, type Service } from './harness';

/** The first account, signed in. */
export async function enter(page: Page, service: Service): Promise<void> {
  await page.goto(`/setup?token=${service.setupToken}`);
  await page.getByLabel('User name').fill('root');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
}

export async function tokenOf(service: Service, username = 'root'): Promise<string> {
  const answer = await fetch(`${service.url}/api/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password: PASSWORD }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

export async function ask<T>(service: Service, token: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(service.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export async function upload(service: Service, token: string, paths: string[], tags = ''): Promise<void> {
  for (let at = 0; at < paths.length; at += 50) {
    const form = new FormData();
    if (tags) form.append('tags', tags);
    for (const path of paths.slice(at, at + 50))
      form.append('files', new Blob([readFileSync(path)]), basename(path));
    const answer = await fetch(`${service.url}/api/images`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: form,
    });
    if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  }
}
