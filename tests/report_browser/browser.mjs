// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A page in headless Chromium, driven through its DevTools protocol over two pipes: nothing but Node's own modules.
import { spawn } from 'node:child_process';

export class Browser {
  static async open(executable, profile) {
    const child = spawn(executable, [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
      '--hide-scrollbars', `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank',
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const browser = new Browser(child);
    const { targetInfos } = await browser.send('Target.getTargets');
    const page = targetInfos.find(t => t.type === 'page') ?? await browser.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId: page.targetId, flatten: true });
    browser.session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.send(`${domain}.enable`);
    return browser;
  }

  constructor(child) {
    this.child = child;
    this.calls = new Map();
    this.next = 1;
    this.complaints = []; // of the console, and exceptions
    this.requests = [];
    this.waiting = new Map(); // by event
    let rest = '';
    child.stdio[4].setEncoding('utf8');
    child.stdio[4].on('data', text => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) this.receive(JSON.parse(message));
    });
    const failed = () => {
      for (const { reject } of this.calls.values()) reject(new Error('the browser ended'));
      this.calls.clear();
    };
    child.on('error', failed);
    child.on('exit', failed);
    child.stdio[3].on('error', failed);
  }

  receive({ id, result, error, method, params }) {
    if (id !== undefined) {
      const call = this.calls.get(id);
      this.calls.delete(id);
      if (error) call?.reject(new Error(`${call.method}: ${error.message}`));
      else call?.resolve(result);
      return;
    }
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(params.args.map(a => a.value ?? a.description).join(' '));
    if (method === 'Runtime.exceptionThrown')
      this.complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Log.entryAdded') this.complaints.push(params.entry.text);
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url);
    this.waiting.get(method)?.(params);
  }

  send(method, params = {}) {
    return new Promise((resolve, reject) => {
      const id = this.next++;
      this.calls.set(id, { method, resolve, reject });
      this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + '\0');
    });
  }

  once(method) {
    return new Promise(resolve => this.waiting.set(method, params => { this.waiting.delete(method); resolve(params); }));
  }

  async show(url, { width = 1280, height = 1000, dark = false } = {}) {
    this.complaints.length = this.requests.length = 0;
    await this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] });
    const loaded = this.once('Page.loadEventFired');
    await this.send('Page.navigate', { url });
    await loaded;
    await this.frame();
  }

  /// The value of an expression in the page.
  async ask(expression) {
    const { result, exceptionDetails } =
      await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
  /// Until what was asked for is drawn.
  frame() { return this.ask('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))'); }

  mouse(type, x, y, more = {}) { return this.send('Input.dispatchMouseEvent', { type, x, y, ...more }); }
  async hover(x, y) {
    await this.mouse('mouseMoved', x, y);
    await this.frame();
  }
  async drag(x1, y1, x2, y2, modifiers = 0) {
    await this.mouse('mouseMoved', x1, y1, { modifiers });
    await this.mouse('mousePressed', x1, y1, { button: 'left', buttons: 1, clickCount: 1, modifiers });
    await this.mouse('mouseMoved', (x1 + x2) / 2, y2, { button: 'left', buttons: 1, modifiers });
    await this.mouse('mouseMoved', x2, y2, { button: 'left', buttons: 1, modifiers });
    await this.mouse('mouseReleased', x2, y2, { button: 'left', clickCount: 1, modifiers });
    await this.frame();
  }
  async click(x, y, clickCount = 1) {
    await this.mouse('mouseMoved', x, y);
    for (let n = 1; n <= clickCount; ++n) {
      await this.mouse('mousePressed', x, y, { button: 'left', buttons: 1, clickCount: n });
      await this.mouse('mouseReleased', x, y, { button: 'left', clickCount: n });
    }
    await this.frame();
  }
  async wheel(x, y, deltaY) {
    await this.mouse('mouseWheel', x, y, { deltaX: 0, deltaY });
    await this.frame();
  }
  async key(key, modifiers = 0) {
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, modifiers, text: key.length === 1 ? key : key === 'Enter' ? '\r' : undefined });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, modifiers });
    await this.frame();
  }
  async screenshot(full = true) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: full });
    return Buffer.from(data, 'base64');
  }

  async close() {
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.send('Browser.close').catch(() => {});
    await Promise.race([ended, new Promise(resolve => setTimeout(resolve, 3000).unref())]);
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}
