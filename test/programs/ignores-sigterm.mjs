// Says when it is ready to be asked, and goes on whatever it is asked.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
setInterval(() => {}, 1000);
console.log("up");
