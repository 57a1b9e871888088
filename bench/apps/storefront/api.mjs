/** As little of an API as starts Express. */
import express from "express";

const app = express();
app.get("/health", (_request, response) => response.json({ status: "well" }));
app.listen(Number(process.env.PORT), process.env.HOST);
