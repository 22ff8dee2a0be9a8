// Pages that are opened from a folder may start no worker from a file: the search runs in a frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.queue = []
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.srcdoc = "<!doctype html>"
      frame.onload = () => {
        frame.onload = null
        this.inner = frame.contentWindow
        this.inner.postMessage = (data) => this.tell(this, data)
        this.inner.importScripts = (...urls) =>
          urls.reduce((done, one) => done.then(() => this.load(one)), Promise.resolve())
        this.load(url).then(() => {
          this.queue.splice(0).forEach((data) => this.tell(this.inner, data))
          this.ready = true
        })
      }
      document.body.append(frame)
    }
    load(url) {
      return new Promise((resolve, reject) => {
        const script = this.inner.document.createElement("script")
        Object.assign(script, { src: url, onload: resolve, onerror: reject })
        this.inner.document.body.append(script)
      })
    }
    tell(whom, data) {
      const event = new MessageEvent("message", { data })
      setTimeout(() => {
        whom.dispatchEvent(event)
        if (whom === this) this.onmessage?.(event)
      })
    }
    postMessage(data) {
      if (this.ready) this.tell(this.inner, data)
      else this.queue.push(data)
    }
    terminate() {}
  }
}
