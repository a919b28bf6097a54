// What pages do beyond links and forms. Every page works without it where it can.
