"""What `celery -A peers.celery_worker worker` loads; `LINESIDE_PEER` holds its `Place` as JSON."""

import json
import os

from peers.celery_app import Place, application

app = application(Place(**json.loads(os.environ["LINESIDE_PEER"])))
